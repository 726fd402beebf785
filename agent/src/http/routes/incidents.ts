import { createRoute, z } from '@hono/zod-openapi'
import { Incident, IncidentNote, Severity } from '../../contract/index.ts'
import { endDrill } from '../../incident/drill.ts'
import {
  acknowledgeIncident,
  closeIncident,
  listIncidents,
  readIncident,
  toIncident,
  type IncidentRow,
} from '../../incident/incidentStore.ts'
import { idParam, toActor, openApiResponses, requireRight, requireRollout } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'

const listIncidentsRoute = createRoute({
  method: 'get',
  path: '/v1/incidents',
  request: {
    query: z.object({
      rollout: z.string().optional(),
      open: z.enum(['true', 'false']).default('false'),
      severity: Severity.optional().describe('info with open=true: information that nobody has seen yet'),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
  },
  responses: openApiResponses(
    200,
    z.object({ incidents: z.array(Incident) }),
    'open incidents first, then newest first',
  ),
})
const incidentParams = z.object({ id: idParam })
const noteBody = { content: { 'application/json': { schema: IncidentNote } }, required: false } as const
const acknowledgeRoute = createRoute({
  method: 'post',
  path: '/v1/incidents/{id}/acknowledge',
  request: { params: incidentParams, body: noteBody },
  responses: openApiResponses(200, Incident, 'acknowledged; the timer stopped, and information is closed'),
})
const resolveRoute = createRoute({
  method: 'post',
  path: '/v1/incidents/{id}/resolve',
  request: { params: incidentParams, body: noteBody },
  responses: openApiResponses(200, Incident, 'closed by a person'),
})

export function incidentRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(listIncidentsRoute, async (c) => {
    const { rollout, open, severity, limit } = c.req.valid('query')
    if (rollout !== undefined) requireRollout(deps, rollout)
    const rows = await listIncidents(state, { rollout, open: open === 'true', severity, limit })
    return c.json({ incidents: rows.map((row) => presentIncident(deps, row)) }, 200)
  })
  app.openapi(acknowledgeRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'acknowledge')
    const { id } = c.req.valid('param')
    const answer = { actor: toActor(caller), note: parseNote(c.req.valid('json')) }
    const row = await acknowledgeIncident(state, id, answer)
    if (row === null) throw await explainRefusal(deps, id, 'acknowledge')
    deps.incidentAcknowledged(row)
    return c.json(presentIncident(deps, await endAcknowledgedDrill(deps, row)), 200)
  })
  app.openapi(resolveRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'acknowledge')
    const { id } = c.req.valid('param')
    const before = await readIncident(state, id)
    const row = await closeIncident(state, id, { actor: toActor(caller), note: parseNote(c.req.valid('json')) })
    if (row === null) throw await explainRefusal(deps, id, 'close')
    if (before?.acknowledged_at === null) deps.incidentAcknowledged(row)
    return c.json(presentIncident(deps, row), 200)
  })
}

/** A drill ends with its acknowledgement. */
async function endAcknowledgedDrill(
  { database, flags, alertPath, rollouts }: ApiDependencies,
  row: IncidentRow,
): Promise<IncidentRow> {
  const rollout = rollouts.find(({ name }) => name === row.rollout)
  if (!row.drill || rollout === undefined) return row
  const observedState = {
    flag: flags.status(rollout.name),
    watchdogSeenAt: alertPath.lastSeenAt(),
    watchdogLive: alertPath.isLive(),
  }
  return await endDrill(database.state, rollout, row, observedState)
}

export function presentIncident({ config, rollouts }: ApiDependencies, row: IncidentRow): Incident {
  const contacts = rollouts.find(({ name }) => name === row.rollout)?.file.contacts ?? []
  return toIncident(row, config.environment, contacts)
}

const parseNote = (json: unknown): string | null => (json as { note?: string } | undefined)?.note ?? null

async function explainRefusal(
  { database }: ApiDependencies,
  id: number,
  verb: 'acknowledge' | 'close',
): Promise<Refusal> {
  const row = await readIncident(database.state, id)
  if (row === null) return new Refusal('not-found', `Incident ${id} does not exist.`)
  const { closed_by, closed_at, acknowledged_by, acknowledged_at } = row
  const earlierAction =
    closed_at !== null
      ? `was closed by ${closed_by!.name} at ${closed_at.toISOString()}`
      : `was acknowledged by ${acknowledged_by!.name} at ${acknowledged_at!.toISOString()}`
  return new Refusal('refused', `Incident ${id} ${earlierAction}, so you cannot ${verb} it.`)
}
