import { ValidationParameters, type CheckResult } from '../contract/index.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
import { formatQuantity } from '../format/format.ts'
import { measuredRate, estimateDuration } from '../kind/durationEstimate.ts'
import { requireTable } from '../kind/requireTable.ts'
import type { ValidationDependencies } from './check.ts'
import { readHashVersion, saveRowCount } from './counts/rowCountStore.ts'
import { listChecks, selectChecks, findUnknownChecks } from './layers.ts'
import { runCheck } from './runCheck.ts'
import { deleteScanCheckpoint, resumeOrStartScan } from './scan/checkpoint.ts'
import { scanTable } from './scan/scanTable.ts'
import { computeCoverage } from './scan/scanRanges.ts'
import { readOperationResult, saveValidation } from './store.ts'
import { computeIntegrityScore, summarizeLayers, overallVerdict, describeVerdict } from './verdict.ts'

/** The scan rate that a preview assumes until one has been measured. */
const ASSUMED_ROWS_PER_SECOND = 500_000

export function createValidation(parts: ValidationDependencies): OperationDefinition<'validation'> {
  return {
    kind: 'validation',
    refusals(facts, parameters) {
      const unknown = findUnknownChecks(facts.rollout, ValidationParameters.parse(parameters))
      return [
        ...facts.faults,
        ...(facts.table !== null && facts.table.discriminator === null
          ? ['The table has no discriminator column yet. Expand first.']
          : []),
        ...(facts.openOperations.some((operation) => operation.kind === 'validation')
          ? ['A validation is already running. Wait for it, or cancel it.']
          : []),
        ...(unknown.length > 0
          ? [
              `Unknown check ${unknown.join(', ')}. Available checks: ${listChecks(facts.rollout)
                .map((check) => check.name)
                .join(', ')}.`,
            ]
          : []),
      ]
    },
    async preview({ rollout, table, facts }, parameters) {
      const checks = selectChecks(rollout, ValidationParameters.parse(parameters))
      const reads = checks.some((check) => check.needsScan)
      const rows = reads ? table.estimatedRows : 0
      const last = facts.succeededOperations.findLast((operation) => operation.kind === 'validation')
      const measured = measuredRate(last, last?.result?.['rows'])
      const { notes, ...time } = reads
        ? estimateDuration(rows, measured, { does: 'reads', perSecond: ASSUMED_ROWS_PER_SECOND })
        : { estimatedSeconds: null, estimateBasis: null, notes: [] }
      return {
        ...time,
        rows: 0,
        estimatedWalBytes: 0,
        notes: [
          ...notes,
          `Runs ${formatQuantity(checks.length, 'check')}.`,
          ...(rows !== null && rows > 0
            ? [`Reads about ${formatQuantity(Math.round(rows), 'row')} in key ranges, each with a short snapshot.`]
            : []),
          'Does not write to the table.',
        ],
      }
    },
    run: (run) => validate(run, parts),
  }
}

/** Resumes the table scan from its checkpoint. The other checks always run again, so that all describe the same time. */
async function validate(run: RunContext, parts: ValidationDependencies): Promise<RunOutcome> {
  const { rollout, database, operation } = run
  const savedResult = await readOperationResult(database.state, operation.id)
  if (savedResult !== null) return { outcome: 'succeeded', result: savedResult }
  const parameters = ValidationParameters.parse(operation.parameters)
  const checks = selectChecks(rollout, parameters)
  const facts = await run.readFacts()
  const table = requireTable(facts)
  const checkpoint = await resumeOrStartScan(run, table, facts.lastWriteEndedAt)
  const scan = checks.some((check) => check.needsScan) ? await scanTable(run, table, checkpoint) : null
  if (scan === null && checks.some((check) => check.needsScan)) return { outcome: 'stopped' }
  const context = { run, rollout, table, parts, facts: await run.readFacts() }
  const results: CheckResult[] = []
  const inapplicable = new Set<string>()
  for (const check of checks) {
    run.setStep(`check ${check.name}`)
    const result = await runCheck(check, context, scan)
    // A check that was stopped early has no usable result.
    if (run.directive() !== 'continue') return { outcome: 'stopped' }
    if (result === null) inapplicable.add(check.name)
    else results.push(result)
  }
  const layers = summarizeLayers(rollout, parameters, results, inapplicable)
  const { startedAt } = checkpoint
  const result = await saveValidation(
    database.state,
    run.claim,
    { rollout, startedAt },
    {
      verdict: overallVerdict(layers),
      layers,
      integrityScore: computeIntegrityScore(layers, results),
      checks: results,
      coverage: scan && computeCoverage(scan),
      totalRows: scan && scan.rows,
      checksum: scan && scan.checksum,
      confusion: scan?.confusion ?? [],
    },
  )
  if (scan !== null) {
    const { rows, checksum, discrepancies, raising, kept } = scan
    await saveRowCount(database.state, rollout.name, Number(result['validation']), {
      rows,
      checksum,
      counters: checkpoint.counters,
      wrong: discrepancies + raising + kept,
      hashedBy: await readHashVersion(database.state, rollout.derivationHash),
    })
  }
  await deleteScanCheckpoint(database.state, operation.id)
  await run.recordEvent('verdict', describeVerdict(overallVerdict(layers), layers), { after: result })
  return { outcome: 'succeeded', result }
}
