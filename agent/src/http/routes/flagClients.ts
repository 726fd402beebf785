import { createRoute } from '@hono/zod-openapi'
import { AcceptClientsRequest, FlagStatus } from '../../contract/index.ts'
import { toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'

const acceptClientsRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/flag-clients/accept',
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: AcceptClientsRequest } }, required: true },
  },
  responses: openApiResponses(200, FlagStatus, 'a person confirmed that these clients no longer use the flag'),
})

export function flagClientRoutes(app: App, deps: ApiDependencies): void {
  app.openapi(acceptClientsRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'accept-client')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { clients, reason } = c.req.valid('json')
    await deps.flags.acceptClients(rollout.name, clients ?? 'all', toActor(caller), reason)
    return c.json(deps.flags.status(rollout.name), 200)
  })
}
