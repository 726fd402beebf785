import { ValidationParameters, type CheckResult } from '../contract/index.ts'
import { bothWays } from '../dualWrite/verify.ts'
import { createGoOn } from '../engine/goOn.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { createRate } from '../engine/rate.ts'
import { demandTable } from '../engine/table.ts'
import type { Table } from '../rollout/rollout.ts'
import type { ValidationParts } from './check.ts'
import { checksOf, chosen, unknownChecks } from './layers.ts'
import { runCheck } from './runCheck.ts'
import { coverageOf, scan, type Scan } from './scan.ts'
import { resultOf, saveValidation } from './store.ts'
import { integrityScore, layerResults, overall } from './verdict.ts'

/** Rows per second that a preview assumes before anything was measured here. */
const ASSUMED_RATE = 500_000
const READING = 'reading every row'

export function createValidation(parts: ValidationParts): Kind {
  return {
    kind: 'validation',
    writesTable: false,
    refusals(facts, parameters) {
      const unknown = unknownChecks(facts.rollout, ValidationParameters.parse(parameters))
      return [
        ...facts.faults,
        ...(facts.table !== null && facts.table.discriminator === null
          ? ['There is no discriminator column yet: expand first.']
          : []),
        ...(facts.open.some((one) => one.kind === 'validation')
          ? ['A validation runs already: wait for it, or cancel it.']
          : []),
        ...(unknown.length > 0
          ? [
              `There is no check ${unknown.join(', ')}; there are: ${checksOf(facts.rollout)
                .map((check) => check.name)
                .join(', ')}.`,
            ]
          : []),
      ]
    },
    async preview({ rollout, table }, parameters) {
      const checks = chosen(rollout, ValidationParameters.parse(parameters))
      const rows = checks.some((check) => check.needsScan) ? Math.round(table.estimatedRows ?? 0) : 0
      return {
        rows: 0,
        estimatedSeconds: Math.max(1, rows / ASSUMED_RATE),
        estimatedWalBytes: 0,
        notes: [
          `Runs ${checks.length} checks.`,
          ...(rows > 0 ? [`Reads about ${rows} rows in key ranges, each with a short snapshot.`] : []),
          'Writes nothing to the table.',
        ],
      }
    },
    run: (run) => validate(run, parts),
  }
}

/** Begins anew after a pause or a crash: half a validation proves nothing. */
async function validate(run: Run, parts: ValidationParts): Promise<Outcome> {
  const { rollout, database, operation } = run
  const earlier = await resultOf(database.state, operation.id)
  if (earlier !== null) return { outcome: 'succeeded', result: earlier }
  const asked = ValidationParameters.parse(operation.parameters)
  const checks = chosen(rollout, asked)
  const startedAt = (await database.state<{ now: Date }[]>`select clock_timestamp() as now`)[0]!.now
  const table = demandTable(await run.facts())
  const scanned = checks.some((check) => check.needsScan) ? await readTable(run, table) : null
  if (scanned === 'stopped') return { outcome: 'stopped' }
  const context = { run, rollout, table, parts, facts: await run.facts() }
  const results: CheckResult[] = []
  for (const check of checks) {
    if (run.asked() !== 'go-on') return { outcome: 'stopped' }
    run.step(`check ${check.name}`)
    results.push(await runCheck(check, context, scanned))
  }
  const layers = layerResults(rollout, asked, results)
  const result = await saveValidation(
    database.state,
    run.claim,
    { rollout, startedAt },
    {
      ...{ verdict: overall(layers), layers, integrityScore: integrityScore(layers, results), checks: results },
      ...{ coverage: scanned && coverageOf(scanned), totalRows: scanned && scanned.rows },
      ...{ checksum: scanned && scanned.checksum, confusion: scanned?.confusion ?? [] },
    },
  )
  return { outcome: 'succeeded', result }
}

async function readTable(run: Run, table: Table): Promise<Scan | 'stopped'> {
  const { rollout, database } = run
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
      keepsTypes: rollout.file.restore === 'none' && (await bothWays(database.state, rollout, table)),
      goOn: createGoOn(run, (wait) => run.step(wait === null ? READING : `waits: ${wait.sentence}`)),
      passed(rows) {
        passed += rows
        rate.add(rows)
        report(Math.max(passed, Math.round(table.estimatedRows ?? 0)))
      },
    })
    if (scanned === null) return 'stopped'
    passed = scanned.rows
    report(passed)
    return scanned
  } finally {
    await sql.end({ timeout: 1 })
  }
}
