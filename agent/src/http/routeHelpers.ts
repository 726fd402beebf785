import { z } from '@hono/zod-openapi'
import { Problem } from '../contract/index.ts'
import type { Actor } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Caller } from '../rights/caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { rightRefusal, type Right } from '../rights/rights.ts'

const problemResponse = {
  content: { 'application/problem+json': { schema: Problem } },
  description: 'refused',
} as const

/** The OpenAPI responses of a route: one success, and problems. */
export function openApiResponses<Status extends 200 | 202, S extends z.ZodType>(
  status: Status,
  schema: S,
  description: string,
) {
  const success = { content: { 'application/json': { schema } }, description }
  return { [status]: success, 422: problemResponse, 409: problemResponse, 403: problemResponse } as {
    [K in Status]: typeof success
  } & {
    [K in 403 | 409 | 422]: typeof problemResponse
  }
}

export const rolloutParams = z.object({ rollout: z.string().openapi({ example: 'vehicles' }) })
export const operationParams = z.object({ id: z.coerce.number().int().positive() })
export const reasonBody = z.object({ reason: z.string().max(2000).optional() })

/** @throws Refusal unknown-rollout */
export function requireRollout(deps: ApiDependencies, name: string): Rollout {
  const rollout = deps.rollouts.find((candidate) => candidate.name === name)
  if (rollout) return rollout
  throw new Refusal(
    'unknown-rollout',
    `The rollout ${name} does not exist; existing rollouts: ${deps.rollouts.map((rollout) => rollout.name).join(', ') || 'none'}.`,
  )
}

/** @throws Refusal forbidden, with the required level */
export function requireRight(deps: ApiDependencies, caller: Caller, right: Right): void {
  const refusal = rightRefusal(caller, right, deps.config)
  if (refusal !== null) throw new Refusal('forbidden', refusal)
}

export function toActor(caller: Caller): Actor {
  return { name: caller.name, level: caller.level, via: caller.via }
}
