import { z } from '@hono/zod-openapi'
import { Problem } from '../contract/index.ts'
import type { Actor, AllowedAction } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { RolloutGroup } from '../rollout/rolloutGroup.ts'
import type { Caller } from '../rights/caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { rightRefusal, type Right } from '../rights/rights.ts'

const problemResponse = (description: string) => ({
  content: { 'application/problem+json': { schema: Problem } },
  description,
})

/**
 * Every problem that a route can answer, whatever it is sent. 500 is not among them: it would be a fault of the agent.
 */
export const PROBLEM_RESPONSES = {
  400: problemResponse('the path, the query, a header or the JSON cannot be parsed'),
  403: problemResponse('the credential is missing, unknown, or has no right to this'),
  404: problemResponse('the path or what it names does not exist'),
  409: problemResponse('refused: the reasons say what must be true first'),
  413: problemResponse('the body is too large'),
  415: problemResponse('the body is not application/json'),
  422: problemResponse('the body is not valid for this route'),
  431: { description: 'the headers are larger than 16 KiB; without a body' },
  503: problemResponse('the database is unavailable'),
} as const

/** The OpenAPI responses of a route: one success, and problems. */
export function openApiResponses<Status extends 200 | 202, S extends z.ZodType>(
  status: Status,
  schema: S,
  description: string,
) {
  const success = { content: { 'application/json': { schema } }, description }
  return Object.assign({ [status]: success } as { [K in Status]: typeof success }, PROBLEM_RESPONSES)
}

/** An ID in a path: a whole number that JSON and PostgreSQL's bigint both have. */
export const idParam = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER)

export const rolloutParams = z.object({ rollout: z.string().openapi({ example: 'vehicles' }) })
export const operationParams = z.object({ id: idParam })
export const reasonBody = z.object({ reason: z.string().max(2000).optional() })

/** @throws Refusal unknown-rollout */
export function requireRollout(deps: ApiDependencies, name: string): Rollout {
  const rollout = deps.rollouts.find((candidate) => candidate.name === name)
  if (rollout) return rollout
  if (findGroup(deps, name) !== null)
    throw new Refusal(
      'refused',
      `${name} has several tables, and this is not available for them: see GET /v1/rollouts/${name}/tables.`,
    )
  throw new Refusal(
    'unknown-rollout',
    `The rollout ${name} does not exist; existing rollouts: ${[...deps.rollouts, ...deps.groups].map((rollout) => rollout.name).join(', ') || 'none'}.`,
  )
}

/** The rollout with several tables of this name, or null. */
export function findGroup(deps: Pick<ApiDependencies, 'groups'>, name: string): RolloutGroup | null {
  return deps.groups.find((group) => group.name === name) ?? null
}

/** @throws Refusal unknown-rollout */
export function requireGroup(deps: ApiDependencies, name: string): RolloutGroup {
  const group = findGroup(deps, name)
  if (group !== null) return group
  const { table } = requireRollout(deps, name)
  throw new Refusal('refused', `${name} has one table, ${table.sql}: see GET /v1/rollouts/${name}.`)
}

/** @throws Refusal forbidden, with the required level */
export function requireRight(deps: ApiDependencies, caller: Caller, right: Right): void {
  const refusal = rightRefusal(caller, right, deps.config)
  if (refusal !== null) throw new Refusal('forbidden', refusal)
}

/** The actions, with those refused that this caller has no right to. */
export function refuseWithoutRight(
  deps: ApiDependencies,
  caller: Caller,
  actions: readonly AllowedAction[],
): AllowedAction[] {
  return actions.map((action) => {
    const refusal = rightRefusal(caller, action.action, deps.config)
    return refusal === null ? action : { ...action, allowed: false, reasons: [refusal, ...action.reasons] }
  })
}

export function toActor(caller: Caller): Actor {
  return { name: caller.name, level: caller.level, via: caller.via }
}
