import type { Operation, RollbackScope } from '../contract/index.ts'
import { formatDuration, formatQuantity } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { measuredRate, operationSeconds } from '../kind/durationEstimate.ts'
import { rehearsalStatus } from './rehearsalStatus.ts'
import { columnCreatedBySti } from './revertChanges.ts'

/** The estimated duration of a rollback and the measurement it is based on; null: nothing measured yet. */
export interface RollbackEstimate {
  readonly seconds: number | null
  readonly basis: string | null
}

const UNKNOWN_ESTIMATE: RollbackEstimate = { seconds: null, basis: null }

/** Based on the last valid rehearsal, or else on the last measurements of the table itself. */
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

/** When this scope was last rolled back here or validly rehearsed (ISO 8601). */
export function lastVerifiedAt(facts: RolloutFacts, scope: RollbackScope): string | null {
  const rollbacks = facts.succeededOperations.filter(
    (operation) => isRollbackOf(operation, scope) && operation.derivationHash === facts.rollout.derivationHash,
  )
  const rehearsal = rehearsalStatus(facts)
  const rehearsed =
    rehearsal.counts && rehearsal.result!.scopes.some((rehearsedScope) => rehearsedScope.scope === scope)
  const instants = [...rollbacks.map(({ endedAt }) => endedAt), rehearsed ? rehearsal.succeededAt : null]
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
  return { seconds, basis: 'propagation time of the last flag change' }
}

function estimateFromMonitoring(facts: RolloutFacts): RollbackEstimate {
  const last = facts.succeededOperations.findLast(
    (operation) => isRollbackOf(operation, 'monitoring') || operation.kind === 'monitoring',
  )
  const seconds = operationSeconds(last)
  if (last === undefined || seconds === null) return UNKNOWN_ESTIMATE
  return { seconds, basis: `${last.kind} ${last.id} (changed the same settings in ${formatDuration(seconds)})` }
}

function estimateFromRehearsal(facts: RolloutFacts, scope: RollbackScope): RollbackEstimate | null {
  const { counts, result, operationId } = rehearsalStatus(facts)
  const rehearsedScope = counts ? result!.scopes.find((candidate) => candidate.scope === scope) : undefined
  if (rehearsedScope === undefined) return null
  const { sampleRows, tableRows } = result!
  // The table may have grown since. An empty table has no growth factor.
  const rows = facts.table?.estimatedRows ?? tableRows
  const growthFactor = tableRows > 0 ? Math.max(1, rows / tableRows) : 1
  return {
    seconds: rehearsedScope.estimatedSeconds * growthFactor,
    basis: `rehearsal ${operationId} (${formatQuantity(sampleRows, 'row')} in ${formatDuration(rehearsedScope.seconds)})`,
  }
}

/** Assumes the read rate of the last validation and the write rate of the last backfill. */
function estimateFromTable(facts: RolloutFacts): RollbackEstimate {
  const { succeededOperations: succeeded, table } = facts
  const rows = table?.estimatedRows ?? null
  const [validation, backfill] = (['validation', 'backfill'] as const).map((kind) =>
    succeeded.findLast((operation) => operation.kind === kind),
  )
  if (table === null || rows === null) return UNKNOWN_ESTIMATE
  const reading = measuredRate(validation, validation?.result?.['rows'])
  if (reading === null) return UNKNOWN_ESTIMATE
  const expanding = operationSeconds(succeeded.findLast((operation) => operation.kind === 'expand')) ?? 0
  const readSeconds = rows / reading.perSecond + expanding
  const basis = [
    `${reading.source} (${formatQuantity(reading.rows, 'row')} read in ${formatDuration(reading.seconds)})`,
  ]
  if (columnCreatedBySti(facts) || table.discriminator === null) return { seconds: readSeconds, basis: basis[0]! }
  const writing = measuredRate(backfill, backfill?.result?.['writtenRows'])
  if (writing === null) return UNKNOWN_ESTIMATE
  basis.push(`${writing.source} (${formatQuantity(writing.rows, 'row')} written in ${formatDuration(writing.seconds)})`)
  return { seconds: readSeconds + rows / writing.perSecond, basis: basis.join('; ') }
}
