import { z } from '@hono/zod-openapi'
import { Problem } from '../contract/index.ts'
import type { Actor } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Caller } from './caller.ts'
import type { Parts } from './parts.ts'
import { Refusal } from './problem.ts'
import { mayDo, type Right } from './rights.ts'

const problem = {
  content: { 'application/problem+json': { schema: Problem } },
  description: 'a refusal, in words',
} as const

/** The answers of a route for OpenAPI: one good one, and problems. */
export function answers<Status extends 200 | 202, S extends z.ZodType>(status: Status, schema: S, description: string) {
  const good = { content: { 'application/json': { schema } }, description }
  return { [status]: good, 422: problem, 409: problem, 403: problem } as { [K in Status]: typeof good } & {
    [K in 403 | 409 | 422]: typeof problem
  }
}

export const rolloutPath = z.object({ rollout: z.string().openapi({ example: 'vehicles' }) })
export const operationPath = z.object({ id: z.coerce.number().int().positive() })
export const reasonBody = z.object({ reason: z.string().max(2000).optional() })

/** @throws Refusal unknown-rollout */
export function rolloutNamed(parts: Parts, name: string): Rollout {
  const rollout = parts.rollouts.find((one) => one.name === name)
  if (rollout) return rollout
  throw new Refusal(
    'unknown-rollout',
    `There is no rollout ${name}; there are: ${parts.rollouts.map((one) => one.name).join(', ') || 'none'}.`,
  )
}

/** @throws Refusal forbidden, with what would be needed */
export function demand(parts: Parts, caller: Caller, right: Right): void {
  const refusal = mayDo(caller, right, parts.config)
  if (refusal !== null) throw new Refusal('forbidden', refusal)
}

export function actorOf(caller: Caller): Actor {
  return { name: caller.name, level: caller.level, via: caller.via }
}
