import { ValidationParameters, type CheckResult } from '../contract/index.ts'
import type { Kind, Outcome, Run } from '../engine/kind.ts'
import { rateOf, timeFor } from '../engine/measured.ts'
import { demandTable } from '../engine/table.ts'
import type { ValidationParts } from './check.ts'
import { hashedBy, saveRowCount } from './counts/store.ts'
import { checksOf, chosen, unknownChecks } from './layers.ts'
import { runCheck } from './runCheck.ts'
import { dropReading, openReading } from './scan/checkpoint.ts'
import { readTable } from './scan/readTable.ts'
import { coverageOf } from './scan/scan.ts'
import { resultOf, saveValidation } from './store.ts'
import { integrityScore, layerResults, overall, verdictSentence } from './verdict.ts'

/** Rows per second that a preview assumes before anything was measured here. */
const ASSUMED_RATE = 500_000

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
    async preview({ rollout, table, facts }, parameters) {
      const checks = chosen(rollout, ValidationParameters.parse(parameters))
      const reads = checks.some((check) => check.needsScan)
      const rows = reads ? table.estimatedRows : 0
      const last = facts.succeeded.findLast((one) => one.kind === 'validation')
      const measured = rateOf(last, last?.result?.['rows'])
      const { notes, ...time } = reads
        ? timeFor(rows, measured, { does: 'reads', perSecond: ASSUMED_RATE })
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
async function validate(run: Run, parts: ValidationParts): Promise<Outcome> {
  const { rollout, database, operation } = run
  const earlier = await resultOf(database.state, operation.id)
  if (earlier !== null) return { outcome: 'succeeded', result: earlier }
  const asked = ValidationParameters.parse(operation.parameters)
  const checks = chosen(rollout, asked)
  const facts = await run.facts()
  const table = demandTable(facts)
  const reading = await openReading(run, table, facts.lastWriteEndedAt)
  const scanned = checks.some((check) => check.needsScan) ? await readTable(run, table, reading) : null
  if (scanned === null && checks.some((check) => check.needsScan)) return { outcome: 'stopped' }
  const context = { run, rollout, table, parts, facts: await run.facts() }
  const results: CheckResult[] = []
  const inapplicable = new Set<string>()
  for (const check of checks) {
    run.step(`check ${check.name}`)
    const result = await runCheck(check, context, scanned)
    // A long check ends early when it is asked to: what it found until then is nothing.
    if (run.asked() !== 'go-on') return { outcome: 'stopped' }
    if (result === null) inapplicable.add(check.name)
    else results.push(result)
  }
  const layers = layerResults(rollout, asked, results, inapplicable)
  const { startedAt } = reading
  const result = await saveValidation(
    database.state,
    run.claim,
    { rollout, startedAt },
    {
      verdict: overall(layers),
      layers,
      integrityScore: integrityScore(layers, results),
      checks: results,
      coverage: scanned && coverageOf(scanned),
      totalRows: scanned && scanned.rows,
      checksum: scanned && scanned.checksum,
      confusion: scanned?.confusion ?? [],
    },
  )
  if (scanned !== null) {
    const { rows, checksum, discrepancies, raising, kept } = scanned
    await saveRowCount(database.state, rollout.name, Number(result['validation']), {
      rows,
      checksum,
      counters: reading.counters,
      wrong: discrepancies + raising + kept,
      hashedBy: await hashedBy(database.state, rollout.hash),
    })
  }
  await dropReading(database.state, operation.id)
  await run.event('verdict', verdictSentence(overall(layers), layers), { after: result })
  return { outcome: 'succeeded', result }
}
