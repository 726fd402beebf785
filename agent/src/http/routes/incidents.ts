import { createRoute, z } from '@hono/zod-openapi'
import { Incident, IncidentNote } from '../../contract/index.ts'
import { endDrill } from '../../incident/drill.ts'
import {
  acknowledgeIncident,
  closeIncident,
  listIncidents,
  readIncident,
  toIncident,
  type IncidentRow,
} from '../../incident/store.ts'
import { actorOf, answers, demand, rolloutNamed } from '../answers.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/incidents',
  request: {
    query: z.object({
      rollout: z.string().optional(),
      open: z.enum(['true', 'false']).default('false'),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
  },
  responses: answers(200, z.object({ incidents: z.array(Incident) }), 'open ones first, the newest first'),
})
const idPath = z.object({ id: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) })
const body = { content: { 'application/json': { schema: IncidentNote } }, required: false } as const
const acknowledgement = createRoute({
  method: 'post',
  path: '/v1/incidents/{id}/acknowledge',
  request: { params: idPath, body },
  responses: answers(200, Incident, 'somebody has seen it, and the clock stands'),
})
const resolution = createRoute({
  method: 'post',
  path: '/v1/incidents/{id}/resolve',
  request: { params: idPath, body },
  responses: answers(200, Incident, 'a person says that it is over'),
})

export function incidentRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(list, async (c) => {
    const { rollout, open, limit } = c.req.valid('query')
    if (rollout !== undefined) rolloutNamed(parts, rollout)
    const rows = await listIncidents(state, { rollout, open: open === 'true', limit })
    return c.json({ incidents: rows.map((row) => incidentOf(parts, row)) }, 200)
  })
  app.openapi(acknowledgement, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'acknowledge')
    const { id } = c.req.valid('param')
    const answer = { actor: actorOf(caller), note: noteOf(c.req.valid('json')) }
    const row = await acknowledgeIncident(state, id, answer)
    if (row === null) throw await refusal(parts, id, 'acknowledge')
    parts.incidentAnswered(row)
    return c.json(incidentOf(parts, await drillEnded(parts, row)), 200)
  })
  app.openapi(resolution, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'acknowledge')
    const { id } = c.req.valid('param')
    const before = await readIncident(state, id)
    const row = await closeIncident(state, id, { actor: actorOf(caller), note: noteOf(c.req.valid('json')) })
    if (row === null) throw await refusal(parts, id, 'close')
    if (before?.acknowledged_at === null) parts.incidentAnswered(row)
    return c.json(incidentOf(parts, row), 200)
  })
}

/** A drill is over once somebody has answered. */
async function drillEnded({ database, flags, alertPath, rollouts }: Parts, row: IncidentRow): Promise<IncidentRow> {
  const rollout = rollouts.find(({ name }) => name === row.rollout)
  if (!row.drill || rollout === undefined) return row
  const seen = { flag: flags.status(rollout.name), pathSeenAt: alertPath.seenAt(), pathLive: alertPath.live() }
  return await endDrill(database.state, rollout, row, seen)
}

export function incidentOf({ config, rollouts }: Parts, row: IncidentRow): Incident {
  const contacts = rollouts.find(({ name }) => name === row.rollout)?.file.contacts ?? []
  return toIncident(row, config.environment, contacts)
}

const noteOf = (json: unknown): string | null => (json as { note?: string } | undefined)?.note ?? null

async function refusal({ database }: Parts, id: number, verb: 'acknowledge' | 'close'): Promise<Refusal> {
  const row = await readIncident(database.state, id)
  if (row === null) return new Refusal('not-found', `There is no incident ${id}.`)
  const { closed_by, closed_at, acknowledged_by, acknowledged_at } = row
  const said =
    closed_at !== null
      ? `was closed by ${closed_by!.name} at ${closed_at.toISOString()}`
      : `was acknowledged by ${acknowledged_by!.name} at ${acknowledged_at!.toISOString()}`
  return new Refusal('refused', `Incident ${id} ${said}: there is nothing to ${verb}.`)
}
