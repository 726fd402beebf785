import { createRoute, z } from '@hono/zod-openapi'
import { randomUUID } from 'node:crypto'
import { streamSSE } from 'hono/streaming'
import { Operation, OperationEvent, OperationRequest, Preview } from '../../contract/index.ts'
import { messageOf } from '../../engine/errors.ts'
import { readEvents, toEvent } from '../../operation/events.ts'
import { listOperations, readOperation, toOperation, type OperationRow } from '../../operation/row.ts'
import { ENDED } from '../../operation/states.ts'
import { accept } from '../accept.ts'
import { answers, operationPath, rolloutNamed, rolloutPath } from '../answers.ts'
import type { App, Parts } from '../parts.ts'
import { preview } from '../preview.ts'
import { Refusal } from '../problem.ts'

const create = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/operations',
  request: {
    params: rolloutPath,
    query: z.object({ dryRun: z.enum(['true', 'false']).optional() }),
    headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
    body: { content: { 'application/json': { schema: OperationRequest } }, required: true },
  },
  responses: {
    ...answers(202, Operation, 'accepted; it is carried out afterwards'),
    200: { content: { 'application/json': { schema: Preview } }, description: 'with dryRun=true: what it would do' },
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/operations',
  request: {
    query: z.object({ rollout: z.string().optional(), limit: z.coerce.number().int().min(1).max(200).default(50) }),
  },
  responses: answers(200, z.object({ operations: z.array(Operation) }), 'the newest first'),
})
const one = createRoute({
  method: 'get',
  path: '/v1/operations/{id}',
  request: { params: operationPath },
  responses: answers(200, Operation, 'one operation'),
})

export function operationRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(create, async (c) => {
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const request = c.req.valid('json')
    if (c.req.valid('query').dryRun === 'true')
      return c.json(await preview(parts, rollout, request, c.get('caller')), 200)
    const key = c.req.valid('header')['idempotency-key'] ?? randomUUID()
    return c.json(await accept(parts, rollout, request, c.get('caller'), key), 202)
  })
  app.openapi(list, async (c) => {
    const { rollout, limit } = c.req.valid('query')
    if (rollout !== undefined) rolloutNamed(parts, rollout)
    return c.json({ operations: (await listOperations(state, rollout ?? null, limit)).map(toOperation) }, 200)
  })
  app.openapi(one, async (c) => c.json(toOperation(await operation(parts, c.req.valid('param').id)), 200))

  /** JSON, or a stream that goes on from Last-Event-ID until the operation has ended. */
  app.get('/v1/operations/:id/events', async (c) => {
    const { id } = operationPath.parse(c.req.param())
    const row = await operation(parts, id)
    const after = BigInt(
      z.coerce
        .number()
        .int()
        .nonnegative()
        .catch(0)
        .parse(c.req.header('last-event-id') ?? c.req.query('after') ?? 0),
    )
    if (!(c.req.header('accept') ?? '').includes('text/event-stream')) {
      const events: OperationEvent[] = (await readEvents(state, { operationId: row.id, after })).map(toEvent)
      return c.json({ events }, 200)
    }
    return streamSSE(c, async (stream) => {
      let last = after
      while (parts.serving() && !stream.aborted) {
        try {
          const now = await operation(parts, id)
          const events = await readEvents(state, { operationId: row.id, after: last })
          for (const event of events) {
            last = event.id
            await stream.writeSSE({ event: 'event', id: String(event.id), data: JSON.stringify(toEvent(event)) })
          }
          await stream.writeSSE({ event: 'progress', data: JSON.stringify(toOperation(now)) })
          if (ENDED.includes(now.state) && events.length === 0) {
            await stream.writeSSE({ event: 'end', data: JSON.stringify({ state: now.state }) })
            return
          }
        } catch (error) {
          parts.log({ level: 'warning', message: 'a stream of events waits for the database', error: messageOf(error) })
        }
        await stream.sleep(1000)
      }
    })
  })
}

export async function operation(parts: Parts, id: number): Promise<OperationRow> {
  const row = await readOperation(parts.database.state, id)
  if (row === null || !parts.rollouts.some((one) => one.name === row.rollout))
    throw new Refusal('not-found', `There is no operation ${id}.`)
  return row
}
