import { createRoute, z } from '@hono/zod-openapi'
import { randomUUID } from 'node:crypto'
import { acceptFailedRows, countFailedRows, listFailedRows } from '../../backfill/failedRows.ts'
import { BackfillParameters, FailedRow, Operation } from '../../contract/index.ts'
import { appendEvent } from '../../operation/events.ts'
import { acceptOperation } from '../acceptOperation.ts'
import { toActor, openApiResponses, requireRight, reasonBody, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'

const listFailedRowsRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/failed-rows',
  request: { params: rolloutParams },
  responses: openApiResponses(
    200,
    z.object({ failedRows: z.array(FailedRow), total: z.number().int() }),
    'the first 1,000',
  ),
})
const retryBody = reasonBody.extend({
  environment: z.string().describe('the environment that the caller expects; any other environment answers 409'),
})
const retryFailedRowsRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/failed-rows/retry',
  request: { params: rolloutParams, body: { content: { 'application/json': { schema: retryBody } }, required: true } },
  responses: openApiResponses(202, Operation, 'a backfill of the failed rows only'),
})
const acceptFailedRowsRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/failed-rows/accept',
  request: {
    params: rolloutParams,
    body: {
      content: {
        'application/json': {
          schema: z.object({
            keys: z.array(z.array(z.string()).min(1)).min(1).max(1000),
            reason: z.string().min(1).max(2000),
          }),
        },
      },
      required: true,
    },
  },
  responses: openApiResponses(200, z.object({ accepted: z.number().int() }), 'number of accepted rows'),
})

export function failedRowRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(listFailedRowsRoute, async (c) => {
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const [failedRows, total] = await Promise.all([
      listFailedRows(state, rollout.name),
      countFailedRows(state, rollout.name),
    ])
    return c.json({ failedRows, total }, 200)
  })
  app.openapi(retryFailedRowsRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'retry-failed-rows')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { reason, environment } = c.req.valid('json')
    const request = {
      kind: 'backfill',
      environment,
      parameters: BackfillParameters.parse({ failedRowsOnly: true, checkpointInterval: 1 }),
      reason,
    } as const
    return c.json(
      await acceptOperation(deps, rollout, request, caller, c.req.header('idempotency-key') ?? randomUUID()),
      202,
    )
  })
  app.openapi(acceptFailedRowsRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'accept-failed-rows')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { keys, reason } = c.req.valid('json')
    const accepted = await acceptFailedRows(state, rollout.name, keys, caller.name, reason)
    await appendEvent(state, {
      operationId: null,
      rollout: rollout.name,
      actor: toActor(caller),
      kind: 'failed-rows',
      reason,
      message: `${accepted} failed rows accepted`,
      after: keys.slice(0, 100),
    })
    return c.json({ accepted }, 200)
  })
}
