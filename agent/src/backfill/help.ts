import { createGate } from '../engine/goOn.ts'
import type { Run } from '../engine/kind.ts'
import { help } from '../engine/rewrite.ts'
import { demandTable } from '../engine/table.ts'
import { backfillRefusals } from './refusals.ts'
import { connection, parametersOf, typesJob } from './types.ts'

/**
 * Writes lanes of a backfill that another agent holds. Sweep, counting and the end are the holder's; so is the error
 * budget, which it reads from the lanes.
 */
export async function helpBackfill(run: Run): Promise<void> {
  const facts = await run.facts()
  const table = demandTable(facts)
  if (backfillRefusals(facts).length > 0) return
  const parameters = parametersOf(run)
  let written = 0
  await run.event('help', `${run.agent} helps with ${parameters().workers} workers`)
  try {
    await help(
      typesJob(run, table, {
        parameters,
        connect: connection(run),
        total: () => Infinity,
        gate: createGate(run, () => undefined),
        passed: (step) => (written += step.written),
        retried: () => undefined,
        decided: () => undefined,
        looked: () => Promise.resolve(),
      }),
    )
  } finally {
    await run.event('help', `${run.agent} helped: ${written} rows written`)
  }
}
