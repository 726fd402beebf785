import { ValidationParameters, type CheckResult } from '../contract/index.ts'
import type { OperationDefinition, RunOutcome, RunContext } from '../kind/kind.ts'
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

/** Rows per second that a preview assumes before anything was measured here. */
const ASSUMED_ROWS_PER_SECOND = 500_000

export function createValidation(parts: ValidationDependencies): OperationDefinition<'validation'> {
  return {
    kind: 'validation',
    refusals(facts, parameters) {
      const unknown = findUnknownChecks(facts.rollout, ValidationParameters.parse(parameters))
      return [
        ...facts.faults,
        ...(facts.table !== null && facts.table.discriminator === null
          ? ['There is no discriminator column yet: expand first.']
          : []),
        ...(facts.openOperations.some((one) => one.kind === 'validation')
          ? ['A validation runs already: wait for it, or cancel it.']
          : []),
        ...(unknown.length > 0
          ? [
              `There is no check ${unknown.join(', ')}; there are: ${listChecks(facts.rollout)
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
      const last = facts.succeededOperations.findLast((one) => one.kind === 'validation')
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
          `Runs ${checks.length} checks.`,
          ...(rows !== null && rows > 0
            ? [`Reads about ${Math.round(rows)} rows in key ranges, each with a short snapshot.`]
            : []),
          'Writes nothing to the table.',
        ],
      }
    },
    run: (run) => validate(run, parts),
  }
}

/** Goes on with the reading of the table where it stands; the other checks are asked again, all of them at one time. */
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
    // A long check ends early when it is asked to: what it found until then is nothing.
    if (run.directive() !== 'go-on') return { outcome: 'stopped' }
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
      hashedBy: await readHashVersion(database.state, rollout.hash),
    })
  }
  await deleteScanCheckpoint(database.state, operation.id)
  await run.recordEvent('verdict', describeVerdict(overallVerdict(layers), layers), { after: result })
  return { outcome: 'succeeded', result }
}
