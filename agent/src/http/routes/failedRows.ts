import { createRoute, z } from '@hono/zod-openapi'
import { randomUUID } from 'node:crypto'
import { acceptFailedRows, countFailedRows, listFailedRows } from '../../backfill/failedRows.ts'
import { BackfillParameters, FailedRow, Operation } from '../../contract/index.ts'
import { appendEvent } from '../../operation/events.ts'
import { accept } from '../accept.ts'
import { actorOf, answers, demand, reasonBody, rolloutNamed, rolloutPath } from '../answers.ts'
import type { App, Parts } from '../parts.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/failed-rows',
  request: { params: rolloutPath },
  responses: answers(200, z.object({ failedRows: z.array(FailedRow), total: z.number().int() }), 'the first 1,000'),
})
const retryBody = reasonBody.extend({ environment: z.string().describe('as of an operation: another one answers 409') })
const retry = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/failed-rows/retry',
  request: { params: rolloutPath, body: { content: { 'application/json': { schema: retryBody } }, required: true } },
  responses: answers(202, Operation, 'a backfill of the failed rows alone'),
})
const acceptance = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/failed-rows/accept',
  request: {
    params: rolloutPath,
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
  responses: answers(200, z.object({ accepted: z.number().int() }), 'how many were failed rows'),
})

export function failedRowRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(list, async (c) => {
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const [failedRows, total] = await Promise.all([
      listFailedRows(state, rollout.name),
      countFailedRows(state, rollout.name),
    ])
    return c.json({ failedRows, total }, 200)
  })
  app.openapi(retry, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'retry-failed-rows')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const { reason, environment } = c.req.valid('json')
    const request = {
      kind: 'backfill',
      environment,
      parameters: BackfillParameters.parse({ failedRowsOnly: true, checkpointInterval: 1 }),
      reason,
    } as const
    return c.json(await accept(parts, rollout, request, caller, c.req.header('idempotency-key') ?? randomUUID()), 202)
  })
  app.openapi(acceptance, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'accept-failed-rows')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const { keys, reason } = c.req.valid('json')
    const accepted = await acceptFailedRows(state, rollout.name, keys, caller.name, reason)
    await appendEvent(state, {
      operationId: null,
      rollout: rollout.name,
      actor: actorOf(caller),
      kind: 'failed-rows',
      reason,
      message: `${accepted} failed rows accepted`,
      after: keys.slice(0, 100),
    })
    return c.json({ accepted }, 200)
  })
}
