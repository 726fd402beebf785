import type { Operation, RollbackScope } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { measuredRate, operationSeconds, formatSeconds } from '../kind/durationEstimate.ts'
import { rehearsalStatus } from './rehearsalStatus.ts'
import { columnCreatedBySti } from './revertChanges.ts'

/** How long a rollback would take, and which measurement says so; null: nothing was measured here. */
export interface RollbackEstimate {
  readonly seconds: number | null
  readonly basis: string | null
}

const UNKNOWN_ESTIMATE: RollbackEstimate = { seconds: null, basis: null }

/** From the last rehearsal that counts, else from what was last measured on the table itself. */
export function estimateRollback(facts: RolloutFacts, scope: RollbackScope): RollbackEstimate {
  switch (scope) {
    case 'flag':
      return estimateFromFlag(facts)
    case 'monitoring':
      return estimateFromMonitoring(facts)
    default:
      return estimateFromRehearsal(facts, scope) ?? estimateFromTable(facts)
  }
}

/** When this scope was last taken back here, or rehearsed as things are now; ISO 8601. */
export function lastVerifiedAt(facts: RolloutFacts, scope: RollbackScope): string | null {
  const rollbacks = facts.succeededOperations.filter(
    (one) => isRollbackOf(one, scope) && one.fileHash === facts.rollout.hash,
  )
  const rehearsal = rehearsalStatus(facts)
  const rehearsed = rehearsal.counts && rehearsal.result!.scopes.some((one) => one.scope === scope)
  const instants = [...rollbacks.map((one) => one.endedAt), rehearsed ? rehearsal.succeededAt : null]
  return (
    instants
      .filter((instant) => instant !== null)
      .toSorted()
      .at(-1) ?? null
  )
}

function isRollbackOf({ kind, parameters }: Operation, scope: RollbackScope): boolean {
  if (kind === 'monitoring') return scope === 'monitoring' && parameters['enabled'] === false
  return kind === 'rollback' && parameters['scope'] === scope
}

function estimateFromFlag({ flag }: RolloutFacts): RollbackEstimate {
  const seconds = flag.lastPropagationSeconds
  if (seconds === null) return UNKNOWN_ESTIMATE
  return { seconds, basis: 'the last change of the flag, until its last client had seen it' }
}

function estimateFromMonitoring(facts: RolloutFacts): RollbackEstimate {
  const last = facts.succeededOperations.findLast((one) => isRollbackOf(one, 'monitoring') || one.kind === 'monitoring')
  const seconds = operationSeconds(last)
  if (last === undefined || seconds === null) return UNKNOWN_ESTIMATE
  return { seconds, basis: `${last.kind} ${last.id}, which changed the same settings in ${formatSeconds(seconds)}` }
}

function estimateFromRehearsal(facts: RolloutFacts, scope: RollbackScope): RollbackEstimate | null {
  const { counts, result, operationId } = rehearsalStatus(facts)
  const rehearsedScope = counts ? result!.scopes.find((one) => one.scope === scope) : undefined
  if (rehearsedScope === undefined) return null
  const { sampleRows, tableRows } = result!
  // The table may have grown since; a rollback of an empty one takes what its statements take.
  const rows = facts.table?.estimatedRows ?? tableRows
  const growthFactor = tableRows > 0 ? Math.max(1, rows / tableRows) : 1
  return {
    seconds: rehearsedScope.estimatedSeconds * growthFactor,
    basis: `rehearsal ${operationId}: ${sampleRows.toLocaleString('en')} rows in ${formatSeconds(rehearsedScope.seconds)}`,
  }
}

/** Reading as fast as the last validation read, writing as fast as the last backfill wrote. */
function estimateFromTable(facts: RolloutFacts): RollbackEstimate {
  const { succeededOperations: succeeded, table } = facts
  const rows = table?.estimatedRows ?? null
  const [validation, backfill] = (['validation', 'backfill'] as const).map((kind) =>
    succeeded.findLast((one) => one.kind === kind),
  )
  if (table === null || rows === null) return UNKNOWN_ESTIMATE
  const reading = measuredRate(validation, validation?.result?.['rows'])
  if (reading === null) return UNKNOWN_ESTIMATE
  const expanding = operationSeconds(succeeded.findLast((one) => one.kind === 'expand')) ?? 0
  const readSeconds = rows / reading.perSecond + expanding
  const basis = [
    `${reading.source} read ${reading.rows.toLocaleString('en')} rows in ${formatSeconds(reading.seconds)}`,
  ]
  if (columnCreatedBySti(facts) || table.discriminator === null) return { seconds: readSeconds, basis: basis[0]! }
  const writing = measuredRate(backfill, backfill?.result?.['writtenRows'])
  if (writing === null) return UNKNOWN_ESTIMATE
  basis.push(`${writing.source} wrote ${writing.rows.toLocaleString('en')} rows in ${formatSeconds(writing.seconds)}`)
  return { seconds: readSeconds + rows / writing.perSecond, basis: basis.join('; ') }
}
