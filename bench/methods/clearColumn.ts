import type { Method } from '../method.ts'
import { ADD_COLUMN_SQL } from '../benchTable.ts'
import { resetPeakRss, readPeakRss, operationSeconds, withAgentProcess } from './agentRun.ts'
import { withExplicitSql } from './explicitSql.ts'

/**
 * The data rollback of a column that was there before the rollout: it is cleared in batches. Measured with all that the
 * rollback does: the flag seen off, what cannot be expressed archived, the trigger dropped, the column cleared. It
 * begins vacuumed, as a table is some minutes after its backfill.
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
