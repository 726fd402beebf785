import { createRoute } from '@hono/zod-openapi'
import { randomUUID } from 'node:crypto'
import { DrillRequest, Incident } from '../../contract/index.ts'
import { openDrill } from '../../incident/drill.ts'
import { toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import { requireEnvironment } from '../requestRights.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'
import { presentIncident } from './incidents.ts'

const startDrillRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/drill',
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: DrillRequest } }, required: true },
  },
  responses: openApiResponses(
    202,
    Incident,
    'an incident is open, as in an emergency; the on-call engineer acknowledges it',
  ),
})

export function drillRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(startDrillRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'drill')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { environment, severity, rollBackFlag, reason } = c.req.valid('json')
    requireEnvironment(deps, environment)
    const actor = toActor(caller)
    if (rollBackFlag) {
      requireRight(deps, caller, 'rollback-flag')
      if (!deps.flags.status(rollout.name).enabled)
        throw new Refusal('refused', 'The flag is off, so this drill cannot turn it off.')
    }
    const flagOff = rollBackFlag
      ? await deps.flags.turnOff(rollout, actor, `drill of the alert procedure${reason ? `: ${reason}` : ''}`, {
          kind: 'rollback',
          idempotencyKey: randomUUID(),
          parameters: { scope: 'flag', drill: true },
        })
      : null
    const row = await openDrill(state, rollout.name, { severity, actor, reason: reason ?? null, flagOff })
    if (row === null) throw new Refusal('conflict', 'A drill of this rollout is already open: acknowledge it first.')
    return c.json(presentIncident(deps, row), 202)
  })
}
