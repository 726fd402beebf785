import type { Method } from '../method.ts'
import { ADD_COLUMN_SQL } from '../benchTable.ts'
import { resetPeakRss, readPeakRss, operationSeconds, withAgentProcess } from './agentRun.ts'
import { withExplicitSql } from './explicitSql.ts'

/**
 * Data rollback of a column that existed before the rollout: it is cleared in batches. The measurement includes the whole
 * rollback: waiting for clients to see the flag off, archiving values, dropping the trigger, clearing the column. The table
 * is vacuumed first, as it would be some minutes after a backfill.
 */
export const clearColumn: Method = {
  name: 'clear',
  workers: 2,
  shares: 50,
  leaves: 'nothing',
  async run(url, timed) {
    await withExplicitSql(url, async (sql) => void (await sql.unsafe(ADD_COLUMN_SQL)))
    return await withAgentProcess(url, false, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await withExplicitSql(url, async (sql) => {
        await sql.unsafe('vacuum (analyze) public.vehicles')
        await sql.unsafe('checkpoint')
      })
      await resetPeakRss(agent.pid)
      await timed(async () => operationSeconds(await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })))
      return await readPeakRss(agent.pid)
    })
  },
}
