import { createRoute, z } from '@hono/zod-openapi'
import { FlagStatus } from '../../contract/index.ts'
import { toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'

const acceptClientRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/flag-clients/accept',
  request: {
    params: rolloutParams,
    body: {
      content: {
        'application/json': {
          schema: z.object({ client: z.string().min(1).max(200), reason: z.string().min(1).max(2000) }),
        },
      },
      required: true,
    },
  },
  responses: openApiResponses(200, FlagStatus, 'a person confirmed that this client no longer uses the flag'),
})

export function flagClientRoutes(app: App, deps: ApiDependencies): void {
  app.openapi(acceptClientRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'accept-client')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const { client, reason } = c.req.valid('json')
    await deps.flags.acceptClient(rollout.name, client, toActor(caller), reason)
    return c.json(deps.flags.status(rollout.name), 200)
  })
}
