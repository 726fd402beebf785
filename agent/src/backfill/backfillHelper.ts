import { helpBulkUpdate } from '../engine/bulkUpdate.ts'
import { formatQuantity } from '../format/format.ts'
import type { RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import { createHelperHooks } from './backfillHooks.ts'
import { createBackfillJob } from './backfillJob.ts'
import { backfillRefusals } from './backfillRefusals.ts'

/** Writes lanes of a backfill that another agent holds. The holder sweeps, counts, and ends the backfill. */
export async function runBackfillHelper(run: RunContext): Promise<void> {
  const facts = await run.readFacts()
  const table = requireTable(facts)
  if (backfillRefusals(facts).length > 0) return
  let writtenRows = 0
  const job = createBackfillJob(
    run,
    table,
    createHelperHooks(run, (rows) => (writtenRows += rows)),
  )
  await run.recordEvent('help', `${run.agent} helps with ${formatQuantity(job.tuning().workers, 'worker')}`)
  try {
    await helpBulkUpdate(job)
  } finally {
    await run.recordEvent('help', `${run.agent} helped: ${formatQuantity(writtenRows, 'row')} written`)
  }
}
