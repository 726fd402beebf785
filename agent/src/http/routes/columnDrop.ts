import { createRoute } from '@hono/zod-openapi'
import { columnDropStatus } from '../../columnDrop/status.ts'
import { ColumnDrop } from '../../contract/index.ts'
import { openApiResponses, requireRollout, rolloutParams } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'

const getColumnDropRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/column-drop',
  request: { params: rolloutParams },
  responses: openApiResponses(
    200,
    ColumnDrop,
    'the newest run with safety checks, migration, rollback, and pull request, and the observed use of the columns',
  ),
})

export function columnDropRoutes(app: App, deps: ApiDependencies): void {
  app.openapi(getColumnDropRoute, async (c) => {
    const facts = await deps.facts(requireRollout(deps, c.req.valid('param').rollout))
    return c.json(await columnDropStatus(deps.database.state, deps.config.environment, facts), 200)
  })
}
