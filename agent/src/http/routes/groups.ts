import { createRoute, z } from '@hono/zod-openapi'
import { Group } from '../../contract/index.ts'
import { countChildren, listChildren } from '../../group/childStore.ts'
import { endedStates } from '../../database/endedStates.ts'
import { toOperation, type OperationRow } from '../../operation/operationRow.ts'
import type { FoundTables } from '../../rollout/findTables.ts'
import { describeSelection } from '../../rollout/tableSelection.ts'
import { findNewSchemas } from '../../group/newTables.ts'
import { listGroupActions } from '../../group/groupActions.ts'
import type { ApiDependencies, App } from '../dependencies.ts'
import { readTables } from '../groupOperations.ts'
import { createRecentReadings } from '../recentReadings.ts'
import { openApiResponses, refuseWithoutRight, requireGroup, rolloutParams } from '../routeHelpers.ts'

const MAX_TABLES = 20_000
/** How old the list of tables may be: to read it costs more than the rest of the answer. */
const MAX_AGE_SECONDS = 30

const getTablesRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/tables',
  request: {
    params: rolloutParams,
    query: z.object({ limit: z.coerce.number().int().min(1).max(MAX_TABLES).default(100) }),
  },
  responses: openApiResponses(200, Group, 'a rollout with several tables, and what its operations did in them'),
})

export function groupRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  const recentTables = createRecentReadings<FoundTables>()
  app.openapi(getTablesRoute, async (c) => {
    const group = requireGroup(deps, c.req.valid('param').rollout)
    const [newSchemas, counts, rows, [open]] = await Promise.all([
      recentTables
        .read(group.name, MAX_AGE_SECONDS, () => readTables(deps, group))
        .then((found) => findNewSchemas(state, group.name, found.tables)),
      countChildren(state, group.name),
      listChildren(state, group.name, c.req.valid('query').limit),
      state<OperationRow[]>`
        select * from sti.operation where rollout = ${group.name} and state not in ${endedStates(state)} order by id limit 1`,
    ])
    const running = open === undefined ? null : toOperation(open)
    const flag = deps.flags.status(group.name)
    const tables = rows.map((row) => ({
      rollout: row.rollout,
      schema: row.schema_name,
      table: row.table_sql,
      stage: row.stage,
      state: row.state,
      operation: row.operation_id === null ? null : Number(row.operation_id),
      error: row.error,
      seconds: row.seconds,
      changedAt: row.changed_at.toISOString(),
    }))
    return c.json(
      {
        rollout: group.name,
        environment: deps.config.environment,
        names: describeSelection(group.tables),
        flag,
        running,
        ...counts,
        newSchemas,
        actions: refuseWithoutRight(deps, c.get('caller'), listGroupActions(running, flag)),
        tables,
      },
      200,
    )
  })
}
