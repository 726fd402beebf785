import { createRoute, z } from '@hono/zod-openapi'
import { FlagStatus } from '../../contract/index.ts'
import { actorOf, answers, demand, rolloutNamed, rolloutPath } from '../answers.ts'
import type { App, Parts } from '../parts.ts'

const acceptance = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/flag-clients/accept',
  request: {
    params: rolloutPath,
    body: {
      content: {
        'application/json': {
          schema: z.object({ client: z.string().min(1).max(200), reason: z.string().min(1).max(2000) }),
        },
      },
      required: true,
    },
  },
  responses: answers(200, FlagStatus, 'a person vouches that this client acts on the flag no more'),
})

export function flagClientRoutes(app: App, parts: Parts): void {
  app.openapi(acceptance, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'accept-client')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const { client, reason } = c.req.valid('json')
    await parts.flags.acceptClient(rollout.name, client, actorOf(caller), reason)
    return c.json(parts.flags.status(rollout.name), 200)
  })
}
