import { createRoute, z } from '@hono/zod-openapi'
import { type LimitsPatch, Operation, OperationPatch } from '../../contract/index.ts'
import { appendEvent } from '../../operation/events.ts'
import { toOperation, type OperationRow } from '../../operation/row.ts'
import { transition } from '../../operation/transition.ts'
import { actorOf, answers, demand, operationPath, reasonBody, rolloutNamed } from '../answers.ts'
import { demandLimits } from '../limits.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'
import { operation } from './operations.ts'

const steer = createRoute({
  method: 'post',
  path: '/v1/operations/{id}/{cause}',
  request: {
    params: operationPath.extend({ cause: z.enum(['pause', 'resume', 'cancel']) }),
    body: { content: { 'application/json': { schema: reasonBody } }, required: false },
  },
  responses: answers(202, Operation, 'asked'),
})
const tune = createRoute({
  method: 'patch',
  path: '/v1/operations/{id}',
  request: {
    params: operationPath,
    body: { content: { 'application/json': { schema: OperationPatch } }, required: true },
  },
  responses: answers(202, Operation, 'the next batch takes it'),
})

const DONE = { pause: 'asked to pause', resume: 'resumed', cancel: 'asked to cancel' } as const

export function steeringRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(steer, async (c) => {
    const { id, cause } = c.req.valid('param')
    const caller = c.get('caller')
    demand(parts, caller, cause)
    const row = await operation(parts, id)
    const reason = (c.req.valid('json') as { reason?: string } | undefined)?.reason ?? null
    const moved = await transition(state, row.id, cause, { actor: actorOf(caller), message: DONE[cause], reason })
    if (moved === null)
      throw new Refusal(
        'refused',
        `${row.kind} ${row.id} is ${(await operation(parts, id)).state}: it cannot ${cause} from there.`,
      )
    parts.poke()
    return c.json(toOperation(moved), 202)
  })
  app.openapi(tune, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'tune')
    const row = await operation(parts, c.req.valid('param').id)
    const { limits, ...patch } = c.req.valid('json')
    demandLimits(parts, rolloutNamed(parts, row.rollout), caller, limits)
    const [moved] = await state<OperationRow[]>`
      update sti.operation set parameters = parameters || ${state.json(patch)} ${limits ? merged(limits) : state``}
      where id = ${row.id} and kind = 'backfill' and state not in ('cancelled', 'succeeded', 'failed') returning *`
    if (!moved)
      throw new Refusal(
        'refused',
        `${row.kind} ${row.id} is ${row.state}: only a backfill that has not ended can be tuned.`,
      )
    await appendEvent(state, {
      operationId: row.id,
      rollout: row.rollout,
      actor: actorOf(caller),
      kind: 'tune',
      message: 'tuned',
      before: row.parameters,
      after: moved.parameters,
    })
    return c.json(toOperation(moved), 202)
  })

  /** Limits by their name; null takes one back, as in a JSON merge patch. */
  const merged = ({ signals = {}, ...named }: LimitsPatch) => state`
    || jsonb_strip_nulls(jsonb_build_object('limits', coalesce(parameters->'limits', '{}') || ${state.json(named)}
      || jsonb_build_object('signals', coalesce(parameters->'limits'->'signals', '{}') || ${state.json(signals)})))`
}
