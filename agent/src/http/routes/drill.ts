import { createRoute } from '@hono/zod-openapi'
import { randomUUID } from 'node:crypto'
import { DrillRequest, Incident } from '../../contract/index.ts'
import { openDrill } from '../../incident/drill.ts'
import { actorOf, answers, demand, rolloutNamed, rolloutPath } from '../answers.ts'
import { demandEnvironment } from '../asked.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'
import { incidentOf } from './incidents.ts'

const start = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/drill',
  request: {
    params: rolloutPath,
    body: { content: { 'application/json': { schema: DrillRequest } }, required: true },
  },
  responses: answers(202, Incident, 'an incident is open, as in earnest; whoever is called acknowledges it'),
})

export function drillRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(start, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'drill')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const { environment, severity, rollBackFlag, reason } = c.req.valid('json')
    demandEnvironment(parts, environment)
    const actor = actorOf(caller)
    if (rollBackFlag) {
      demand(parts, caller, 'rollback-flag')
      if (!parts.flags.status(rollout.name).enabled)
        throw new Refusal('refused', 'The flag is off: there is nothing to turn off in this drill.')
    }
    const flagOff = rollBackFlag
      ? await parts.flags.turnOff(rollout, actor, `a drill of the alert procedure${reason ? `: ${reason}` : ''}`, {
          kind: 'rollback',
          idempotencyKey: randomUUID(),
          parameters: { scope: 'flag', drill: true },
        })
      : null
    const row = await openDrill(state, rollout.name, { severity, actor, reason: reason ?? null, flagOff })
    if (row === null) throw new Refusal('conflict', 'A drill of this rollout is open: acknowledge it first.')
    return c.json(incidentOf(parts, row), 202)
  })
}
