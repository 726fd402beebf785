import type { Method } from '../method.ts'
import { ADD_COLUMN } from '../table.ts'
import { forgetPeak, peakRss, secondsOf, withAgentProcess } from './agent.ts'
import { byHand } from './byHand.ts'

/**
 * The data rollback of a column that was there before the rollout: it is cleared in batches. Measured with all that the
 * rollback does: the flag seen off, what cannot be expressed archived, the trigger dropped, the column cleared. It
 * begins vacuumed, as a table is some minutes after its backfill.
 */
export const clear: Method = {
  name: 'clear',
  workers: 2,
  shares: 50,
  leaves: 'nothing',
  async run(url, timed) {
    await byHand(url, async (sql) => void (await sql.unsafe(ADD_COLUMN)))
    return await withAgentProcess(url, false, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await byHand(url, async (sql) => {
        await sql.unsafe('vacuum (analyze) public.vehicles')
        await sql.unsafe('checkpoint')
      })
      await forgetPeak(agent.pid)
      await timed(async () => secondsOf(await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })))
      return await peakRss(agent.pid)
    })
  },
}
