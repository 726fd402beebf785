import { createRoute, z } from '@hono/zod-openapi'
import { type LimitsPatch, Operation, operationName, OperationPatch } from '../../contract/index.ts'
import { endedStates } from '../../database/endedStates.ts'
import { appendEvent } from '../../operation/events.ts'
import { toOperation, type OperationRow } from '../../operation/operationRow.ts'
import { transitionOperation } from '../../operation/transition.ts'
import {
  toActor,
  openApiResponses,
  requireRight,
  operationParams,
  reasonBody,
  requireRollout,
} from '../routeHelpers.ts'
import { requireLimitRights } from '../limitRights.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'
import { requireOperation } from './operations.ts'

const controlOperationRoute = createRoute({
  method: 'post',
  path: '/v1/operations/{id}/{cause}',
  request: {
    params: operationParams.extend({ cause: z.enum(['pause', 'resume', 'cancel']) }),
    body: { content: { 'application/json': { schema: reasonBody } }, required: false },
  },
  responses: openApiResponses(202, Operation, 'requested'),
})
const tuneOperationRoute = createRoute({
  method: 'patch',
  path: '/v1/operations/{id}',
  request: {
    params: operationParams,
    body: { content: { 'application/json': { schema: OperationPatch } }, required: true },
  },
  responses: openApiResponses(202, Operation, 'applies from the next batch'),
})

const EVENT_MESSAGES = { pause: 'pause requested', resume: 'resumed', cancel: 'cancellation requested' } as const

export function operationControlRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(controlOperationRoute, async (c) => {
    const { id, cause } = c.req.valid('param')
    const caller = c.get('caller')
    requireRight(deps, caller, cause)
    const row = await requireOperation(deps, id)
    const reason = (c.req.valid('json') as { reason?: string } | undefined)?.reason ?? null
    const updated = await transitionOperation(state, row.id, cause, {
      actor: toActor(caller),
      message: EVENT_MESSAGES[cause],
      reason,
    })
    if (updated === null)
      throw new Refusal(
        'refused',
        `${operationName(row)} is ${(await requireOperation(deps, id)).state}, so you cannot ${cause} it.`,
      )
    deps.wakeRunner()
    return c.json(toOperation(updated), 202)
  })
  app.openapi(tuneOperationRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'tune')
    const row = await requireOperation(deps, c.req.valid('param').id)
    const { limits, ...patch } = c.req.valid('json')
    requireLimitRights(deps, requireRollout(deps, row.rollout), caller, limits)
    const [updated] = await state<OperationRow[]>`
      update sti.operation set parameters = parameters || ${state.json(patch)} ${limits ? mergeLimits(limits) : state``}
      where id = ${row.id} and kind = 'backfill' and state not in ${endedStates(state)} returning *`
    if (!updated)
      throw new Refusal(
        'refused',
        `${operationName(row)} is ${row.state}: only a backfill that has not ended can be tuned.`,
      )
    await appendEvent(state, {
      operationId: row.id,
      rollout: row.rollout,
      actor: toActor(caller),
      kind: 'tune',
      message: 'tuned',
      before: row.parameters,
      after: updated.parameters,
    })
    return c.json(toOperation(updated), 202)
  })

  /** Merges limits by name; null removes an override, as in a JSON merge patch. */
  const mergeLimits = ({ signals = {}, ...named }: LimitsPatch) => state`
    || jsonb_strip_nulls(jsonb_build_object('limits', coalesce(parameters->'limits', '{}') || ${state.json(named)}
      || jsonb_build_object('signals', coalesce(parameters->'limits'->'signals', '{}') || ${state.json(signals)})))`
}
