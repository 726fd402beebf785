import { createRoute } from '@hono/zod-openapi'
import { armRollback, holdRollback } from '../../alert/hold.ts'
import { AutomaticRollback, AutomaticRollbackRequest } from '../../contract/index.ts'
import { actorOf, answers, demand, rolloutNamed, rolloutPath } from '../answers.ts'
import { demandEnvironment } from '../asked.ts'
import { automaticRollbackOf } from '../alarm.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'

const change = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/automatic-rollback',
  request: {
    params: rolloutPath,
    body: { content: { 'application/json': { schema: AutomaticRollbackRequest } }, required: true },
  },
  responses: answers(200, AutomaticRollback, 'held until then, or armed'),
})

const HOUR_MS = 3_600_000
const LONGEST_MS = 7 * 24 * HOUR_MS

export function automaticRollbackRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(change, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'automatic-rollback')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const { environment, armed, until, reason } = c.req.valid('json')
    if (environment !== undefined) demandEnvironment(parts, environment)
    const by = actorOf(caller)
    if (armed) await armRollback(state, rollout.name, { by, reason })
    else await holdRollback(state, rollout.name, { by, reason, until: ending(until) })
    return c.json(await automaticRollbackOf(parts, rollout), 200)
  })
}

/** @throws Refusal invalid-body */
function ending(until: string | undefined): Date {
  const now = Date.now()
  const at = until === undefined ? now + HOUR_MS : Date.parse(until)
  if (at <= now) throw new Refusal('invalid-body', 'It would be over already.', ['until: give a time to come'])
  if (at > now + LONGEST_MS)
    throw new Refusal('invalid-body', 'Automatic rollback can be held for at most 7 days.', [
      'until: give an earlier time',
    ])
  return new Date(at)
}
