import { createRoute } from '@hono/zod-openapi'
import { resumeAutomaticRollback, pauseAutomaticRollback } from '../../alert/rollbackPauseStore.ts'
import { AutomaticRollback, AutomaticRollbackRequest } from '../../contract/index.ts'
import { toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import { requireEnvironment } from '../requestRights.ts'
import { readAutomaticRollback } from '../automaticRollbackView.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'

const setAutomaticRollbackRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/automatic-rollback',
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: AutomaticRollbackRequest } }, required: true },
  },
  responses: openApiResponses(200, AutomaticRollback, 'paused until then, or armed'),
})

const HOUR_MS = 3_600_000
const MAX_PAUSE_MS = 7 * 24 * HOUR_MS

export function automaticRollbackRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(setAutomaticRollbackRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'automatic-rollback')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { environment, armed, until, reason } = c.req.valid('json')
    if (environment !== undefined) requireEnvironment(deps, environment)
    const by = toActor(caller)
    if (armed) await resumeAutomaticRollback(state, rollout.name, { by, reason })
    else await pauseAutomaticRollback(state, rollout.name, { by, reason, until: parsePauseEnd(until) })
    return c.json(await readAutomaticRollback(deps, rollout), 200)
  })
}

/** @throws Refusal invalid-body */
function parsePauseEnd(until: string | undefined): Date {
  const now = Date.now()
  const endsAt = until === undefined ? now + HOUR_MS : Date.parse(until)
  if (endsAt <= now)
    throw new Refusal('invalid-body', 'The pause would already be over.', ['until: give a time in the future'])
  if (endsAt > now + MAX_PAUSE_MS)
    throw new Refusal('invalid-body', 'Automatic rollback can be paused for at most 7 days.', [
      'until: give an earlier time',
    ])
  return new Date(endsAt)
}
