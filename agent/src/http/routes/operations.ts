import { createRoute, z } from '@hono/zod-openapi'
import { randomUUID } from 'node:crypto'
import { streamSSE } from 'hono/streaming'
import { isEnded, Operation, OperationEvent, OperationRequest, OperationPreview } from '../../contract/index.ts'
import { errorMessage } from '../../database/errors.ts'
import { readEvents, toOperationEvent } from '../../operation/events.ts'
import { listOperations, readOperation, toOperation, type OperationRow } from '../../operation/operationRow.ts'
import { acceptOperation } from '../acceptOperation.ts'
import { acceptGroupOperation, previewGroupOperation } from '../groupOperations.ts'
import { groupOf } from '../../rollout/rolloutGroup.ts'
import {
  findGroup,
  openApiResponses,
  PROBLEM_RESPONSES,
  operationParams,
  requireRollout,
  rolloutParams,
} from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { previewOperation } from '../previewOperation.ts'
import { Refusal } from '../problem.ts'

const createOperationRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/operations',
  request: {
    params: rolloutParams,
    query: z.object({ dryRun: z.enum(['true', 'false']).optional() }),
    headers: z.object({ 'idempotency-key': z.string().min(1).max(200).optional() }),
    body: { content: { 'application/json': { schema: OperationRequest } }, required: true },
  },
  responses: {
    ...openApiResponses(202, Operation, 'accepted; runs afterwards'),
    200: {
      content: { 'application/json': { schema: OperationPreview } },
      description: 'with dryRun=true: preview',
    },
  },
})
const listOperationsRoute = createRoute({
  method: 'get',
  path: '/v1/operations',
  request: {
    query: z.object({ rollout: z.string().optional(), limit: z.coerce.number().int().min(1).max(200).default(50) }),
  },
  responses: openApiResponses(200, z.object({ operations: z.array(Operation) }), 'newest first'),
})
const getOperationRoute = createRoute({
  method: 'get',
  path: '/v1/operations/{id}',
  request: { params: operationParams },
  responses: openApiResponses(200, Operation, 'one operation'),
})
/** What is not a number begins at the first event: a browser sends the Last-Event-ID of whatever it read last. */
const eventPosition = z.coerce
  .number()
  .int()
  .nonnegative()
  .max(Number.MAX_SAFE_INTEGER)
  .catch(0)
  .optional()
  .openapi({ type: 'integer', minimum: 0 })
const operationEventsRoute = createRoute({
  method: 'get',
  path: '/v1/operations/{id}/events',
  request: {
    params: operationParams,
    query: z.object({ after: eventPosition }),
    headers: z.object({ 'last-event-id': eventPosition }),
  },
  responses: Object.assign(
    {
      200: {
        content: {
          'application/json': { schema: z.object({ events: z.array(OperationEvent) }) },
          'text/event-stream': { schema: z.string() },
        },
        description: 'at most 500 events, or with Accept: text/event-stream all of them until the operation has ended',
      },
    },
    PROBLEM_RESPONSES,
  ),
})

export function operationRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(createOperationRoute, async (c) => {
    const name = c.req.valid('param').rollout
    const request = c.req.valid('json')
    const dryRun = c.req.valid('query').dryRun === 'true'
    const key = c.req.valid('header')['idempotency-key'] ?? randomUUID()
    const group = findGroup(deps, name)
    if (group !== null)
      return dryRun
        ? c.json(await previewGroupOperation(deps, group, request), 200)
        : c.json(await acceptGroupOperation(deps, group, request, c.get('caller'), key), 202)
    const rollout = requireRollout(deps, name)
    if (dryRun) return c.json(await previewOperation(deps, rollout, request, c.get('caller')), 200)
    return c.json(await acceptOperation(deps, rollout, request, c.get('caller'), key), 202)
  })
  app.openapi(listOperationsRoute, async (c) => {
    const { rollout, limit } = c.req.valid('query')
    if (rollout !== undefined && !isKnown(deps, rollout)) requireRollout(deps, rollout)
    return c.json({ operations: (await listOperations(state, rollout ?? null, limit)).map(toOperation) }, 200)
  })
  app.openapi(getOperationRoute, async (c) =>
    c.json(toOperation(await requireOperation(deps, c.req.valid('param').id)), 200),
  )

  /** JSON, or a stream that continues from Last-Event-ID until the operation has ended. */
  app.openapi(operationEventsRoute, async (c) => {
    const { id } = c.req.valid('param')
    const row = await requireOperation(deps, id)
    const after = BigInt(c.req.valid('header')['last-event-id'] ?? c.req.valid('query').after ?? 0)
    if (!(c.req.header('accept') ?? '').includes('text/event-stream')) {
      const events: OperationEvent[] = (await readEvents(state, { operationId: row.id, after })).map(toOperationEvent)
      return c.json({ events }, 200)
    }
    return streamSSE(c, async (stream) => {
      let lastEventId = after
      while (deps.serving() && !stream.aborted) {
        try {
          const current = await requireOperation(deps, id)
          const events = await readEvents(state, { operationId: row.id, after: lastEventId })
          for (const event of events) {
            lastEventId = event.id
            await stream.writeSSE({
              event: 'event',
              id: String(event.id),
              data: JSON.stringify(toOperationEvent(event)),
            })
          }
          await stream.writeSSE({ event: 'progress', data: JSON.stringify(toOperation(current)) })
          if (isEnded(current.state) && events.length === 0) {
            await stream.writeSSE({ event: 'end', data: JSON.stringify({ state: current.state }) })
            return
          }
        } catch (error) {
          deps.log({
            level: 'warning',
            message: 'An event stream waits for the database.',
            error: errorMessage(error),
          })
        }
        await stream.sleep(1000)
      }
    })
  })
}

/** True for a rollout of this agent, and for a table of one. */
function isKnown(deps: ApiDependencies, name: string): boolean {
  return deps.rollouts.some((rollout) => rollout.name === name) || findGroup(deps, groupOf(name) ?? name) !== null
}

export async function requireOperation(deps: ApiDependencies, id: number): Promise<OperationRow> {
  const row = await readOperation(deps.database.state, id)
  if (row === null || !isKnown(deps, row.rollout)) throw new Refusal('not-found', `Operation ${id} does not exist.`)
  return row
}
