import { createRoute } from '@hono/zod-openapi'
import { columnDropStatus } from '../../columnDrop/status.ts'
import { ColumnDrop } from '../../contract/index.ts'
import { answers, rolloutNamed, rolloutPath } from '../answers.ts'
import type { App, Parts } from '../parts.ts'

const read = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/column-drop',
  request: { params: rolloutPath },
  responses: answers(
    200,
    ColumnDrop,
    'the newest run: safety checks, migration, its undo, pull request; and the watch',
  ),
})

export function columnDropRoutes(app: App, parts: Parts): void {
  app.openapi(read, async (c) => {
    const facts = await parts.facts(rolloutNamed(parts, c.req.valid('param').rollout))
    return c.json(await columnDropStatus(parts.database.state, parts.config.environment, facts), 200)
  })
}
