import { createGoOn } from '../engine/goOn.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { createRate } from '../engine/rate.ts'
import { demandTable } from '../engine/table.ts'
import { acceptedWrong } from './accepted.ts'
import { coverageOf, integrityChecks, overall } from './integrity.ts'
import { scan } from './scan.ts'
import { saveValidation } from './store.ts'

/** Rows per second that a preview assumes before anything was measured here. */
const ASSUMED_RATE = 500_000
const READING = 'reading every row'

export const validation: Kind = {
  kind: 'validation',
  writesTable: false,
  refusals(facts) {
    return [
      ...facts.faults,
      ...(facts.table !== null && facts.table.discriminator === null
        ? ['There is no discriminator column yet: expand first.']
        : []),
      ...(facts.open.some((one) => one.kind === 'validation')
        ? ['A validation runs already: wait for it, or cancel it.']
        : []),
    ]
  },
  async preview({ table }) {
    const rows = Math.round(table.estimatedRows ?? 0)
    return {
      rows: 0,
      estimatedSeconds: Math.max(1, rows / ASSUMED_RATE),
      estimatedWalBytes: 0,
      notes: [`Reads about ${rows} rows in key ranges, each with a short snapshot. Writes nothing to the table.`],
    }
  },
  run: runValidation,
}

/** Begins anew after a pause or a crash: half a validation proves nothing. */
async function runValidation(run: Run): Promise<Outcome> {
  const { rollout, database, operation } = run
  const startedAt = (await database.state<{ now: Date }[]>`select clock_timestamp() as now`)[0]!.now
  const table = demandTable(await run.facts())
  const sql = database.engine({
    ...{ purpose: 'validation', searchPath: rollout.searchPath },
    readOnly: true,
    statementTimeoutMs: 30_000,
  })
  const rate = createRate()
  let passed = 0
  const report = (total: number): void => {
    const speed = rate.perSecond()
    run.progress({
      ...{ processedRows: passed, writtenRows: 0, failedRows: 0, totalRows: total },
      ratio: total === passed ? 1 : Math.floor((passed * 10_000) / total) / 10_000,
      rowsPerSecond: speed,
      remainingSeconds: total === passed ? 0 : speed ? (total - passed) / speed : null,
      ...{ batchRows: null, batchSeconds: null, throttled: null, retries: {} },
    })
  }
  try {
    const scanned = await scan({
      ...{ sql, rollout, walked: { table: rollout.table, key: table.key }, estimatedRows: table.estimatedRows },
      goOn: createGoOn(run, (wait) => run.step(wait === null ? READING : `waits: ${wait.sentence}`)),
      passed(rows) {
        passed += rows
        rate.add(rows)
        report(Math.max(passed, Math.round(table.estimatedRows ?? 0)))
      },
    })
    if (scanned === null) return { outcome: 'stopped' }
    passed = scanned.rows
    report(passed)
    const checks = integrityChecks(scanned, await run.facts(), await acceptedWrong(sql, rollout, table))
    const verdict = overall(checks)
    const integrityScore =
      Math.floor((checks.filter((one) => one.verdict === 'pass').length / checks.length) * 10_000) / 10_000
    await saveValidation(
      database.state,
      { operationId: operation.id, rollout: rollout.name, fileHash: rollout.hash, startedAt },
      {
        ...{ verdict, integrityScore, coverage: coverageOf(scanned), totalRows: scanned.rows },
        ...{ checksum: scanned.checksum, confusion: scanned.confusion, checks },
      },
    )
    return {
      outcome: 'succeeded',
      result: { verdict, coverage: coverageOf(scanned), rows: scanned.rows, integrityScore },
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
