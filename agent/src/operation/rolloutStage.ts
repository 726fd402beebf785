import type { RolloutStage } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { rowVerificationGaps } from '../kind/verification.ts'
import { isDropped } from './tableFacts.ts'

export type FactsBeforeStage = Omit<RolloutFacts, 'stage' | 'coverageVerified'>

/** The stage of a rollout; derived from facts, never stored. */
export function deriveStage(facts: FactsBeforeStage): RolloutStage {
  const { flag, validation, lastSucceededBackfill: lastBackfill } = facts
  if (isDropped(facts.rollout, facts.droppedColumns)) return 'dropped'
  const rampIsOpen = facts.openOperations.some(({ kind }) => kind === 'flag')
  if (flag.enabled && (flag.percentage < 100 || rampIsOpen)) return 'ramping'
  if (flag.enabled) return isReadyToDrop(facts) ? 'ready-to-drop' : 'enabled'
  const rolledBack = latestInstant(facts.lastDataRollback?.endedAt, facts.lastFlagRollback?.endedAt)
  if (!facts.expanded) return facts.lastDataRollback !== null ? 'rolled-back' : 'new'
  if (
    rolledBack !== null &&
    facts.lastFlagRollback !== null &&
    !(validation?.startedAt && validation.startedAt > rolledBack)
  ) {
    return 'rolled-back'
  }
  if (facts.openOperations.some((operation) => operation.kind === 'backfill')) return 'backfilling'
  if (!isCovered(facts)) return 'expanded'
  if (rowVerificationGaps(facts).length > 0) return 'covered'
  return facts.finalizeMissing.length === 0 && lastBackfill !== null ? 'finalized' : 'verified'
}

/** A column drop was prepared, every safety check passed, and nothing has changed since. */
export function isReadyToDrop({ columnDrop }: Pick<FactsBeforeStage, 'columnDrop'>): boolean {
  return columnDrop !== null && columnDrop.prepared && columnDrop.verdict === 'pass' && columnDrop.staleBecause === null
}

/** A backfill that derives as this file does has completed after the last data rollback. */
export function isCovered(facts: FactsBeforeStage): boolean {
  const { lastSucceededBackfill: lastBackfill, lastDataRollback: dataRolledBack, rollout } = facts
  if (!facts.expanded || lastBackfill?.endedAt == null || lastBackfill.derivationHash !== rollout.derivationHash)
    return false
  if (!isAfterColumnAdded(facts, lastBackfill.endedAt)) return false
  return dataRolledBack?.endedAt == null || dataRolledBack.endedAt < lastBackfill.endedAt
}

/** Coverage from the last validation; null if the column of that validation no longer exists. */
export function currentCoverage(facts: RolloutFacts): number | null {
  const { lastCounts, lastDataRollback, table } = facts
  if (lastCounts === null || table?.discriminator == null || !isAfterColumnAdded(facts, lastCounts.startedAt))
    return null
  if (lastDataRollback?.endedAt != null && lastDataRollback.endedAt >= lastCounts.startedAt) return null
  return lastCounts.coverage
}

/** Results from before the column was added do not apply; it may have been dropped in between. */
function isAfterColumnAdded({ columnAddedAt }: FactsBeforeStage, instant: string): boolean {
  return columnAddedAt === null || instant > columnAddedAt
}

function latestInstant(...instants: (string | null | undefined)[]): string | null {
  return (
    instants
      .filter((instant) => instant != null)
      .sort()
      .at(-1) ?? null
  )
}
