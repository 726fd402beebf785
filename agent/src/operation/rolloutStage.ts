import type { RolloutStage } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'

export type FactsBeforeStage = Omit<RolloutFacts, 'stage' | 'coverageVerified'>

/** Where a rollout stands; derived from facts, never stored. */
export function deriveStage(facts: FactsBeforeStage): RolloutStage {
  const { flag, validation, lastSucceededBackfill: backfilled } = facts
  if (facts.droppedColumns.length === facts.rollout.legacyColumns.length) return 'dropped'
  const rampIsOpen = facts.openOperations.some((operation) => operation.kind === 'flag')
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
  if (!isVerified(facts)) return 'covered'
  return facts.finalizeMissing.length === 0 && backfilled !== null ? 'finalized' : 'verified'
}

/** A column drop was prepared, every safety check had passed, and nothing has changed since. */
export function isReadyToDrop({ columnDrop }: Pick<FactsBeforeStage, 'columnDrop'>): boolean {
  return columnDrop !== null && columnDrop.prepared && columnDrop.verdict === 'pass' && columnDrop.staleBecause === null
}

/** A backfill of this file has ended with nothing left, after the last data rollback. */
export function isCovered(facts: FactsBeforeStage): boolean {
  const { lastSucceededBackfill: backfilled, lastDataRollback: dataRolledBack, rollout } = facts
  if (!facts.expanded || backfilled?.endedAt == null || backfilled.fileHash !== rollout.hash) return false
  if (!isAfterColumnAdded(facts, backfilled.endedAt)) return false
  return dataRolledBack?.endedAt == null || dataRolledBack.endedAt < backfilled.endedAt
}

/**
 * A validation of this file has passed since the last backfill, retry or rollback ended: all checks of every layer that
 * the file requires. None of them has failed since then in another one.
 */
export function isVerified(facts: FactsBeforeStage): boolean {
  const { validation, rollout, lastWriteEndedAt } = facts
  if (validation === null || validation.verdict !== 'pass' || validation.fileHash !== rollout.hash) return false
  const passedLayers = validation.layers.filter((one) => one.complete && one.verdict === 'pass').map((one) => one.layer)
  if (!rollout.file.validation.requires.every((layer) => passedLayers.includes(layer))) return false
  if (facts.checksFailedSince.length > 0) return false
  if (!isAfterColumnAdded(facts, validation.startedAt)) return false
  return lastWriteEndedAt === null || validation.startedAt > lastWriteEndedAt
}

/** Coverage as the last validation counted it; null when that was of a column that is gone. */
export function currentCoverage(facts: RolloutFacts): number | null {
  const { lastCounts: counted, lastDataRollback: dataRolledBack, table } = facts
  if (counted === null || table?.discriminator == null || !isAfterColumnAdded(facts, counted.startedAt)) return null
  if (dataRolledBack?.endedAt != null && dataRolledBack.endedAt >= counted.startedAt) return null
  return counted.coverage
}

/** What was true before the column was added, perhaps again after somebody dropped it, says nothing of it. */
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
