import { createThrottleGate } from '../throttle/throttleGate.ts'
import type { RunContext } from '../kind/kind.ts'
import { helpBulkUpdate } from '../engine/bulkUpdate.ts'
import { requireTable } from '../kind/requireTable.ts'
import { backfillRefusals } from './backfillRefusals.ts'
import { createConnector, createParametersReader, createBackfillJob } from './backfillJob.ts'

/**
 * Writes lanes of a backfill that another agent holds. Sweep, counting and the end are the holder's; so is the error
 * budget, which it reads from the lanes.
 */
export async function runBackfillHelper(run: RunContext): Promise<void> {
  const facts = await run.readFacts()
  const table = requireTable(facts)
  if (backfillRefusals(facts).length > 0) return
  const parameters = createParametersReader(run)
  let writtenRows = 0
  await run.recordEvent('help', `${run.agent} helps with ${parameters().workers} workers`)
  try {
    await helpBulkUpdate(
      createBackfillJob(run, table, {
        parameters,
        connect: createConnector(run),
        total: () => Infinity,
        gate: createThrottleGate(run, () => undefined),
        onProgress: (step) => (writtenRows += step.writtenRows),
        onRetry: () => undefined,
        decided: () => undefined,
        looked: () => Promise.resolve(),
      }),
    )
  } finally {
    await run.recordEvent('help', `${run.agent} helped: ${writtenRows} rows written`)
  }
}
