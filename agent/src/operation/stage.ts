import type { Stage } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'

export type Known = Omit<Facts, 'stage' | 'verified'>

/** Where a rollout stands; derived from facts, never stored. */
export function stageOf(facts: Known): Stage {
  const { flag, validation, backfilled } = facts
  if (facts.droppedColumns.length === facts.rollout.legacyColumns.length) return 'dropped'
  const ramps = facts.open.some((operation) => operation.kind === 'flag')
  if (flag.enabled && (flag.percentage < 100 || ramps)) return 'ramping'
  if (flag.enabled) return readyToDrop(facts) ? 'ready-to-drop' : 'enabled'
  const rolledBack = latest(facts.dataRolledBack?.endedAt, facts.flagRolledBack?.endedAt)
  if (!facts.expanded) return facts.dataRolledBack !== null ? 'rolled-back' : 'new'
  if (
    rolledBack !== null &&
    facts.flagRolledBack !== null &&
    !(validation?.startedAt && validation.startedAt > rolledBack)
  ) {
    return 'rolled-back'
  }
  if (facts.open.some((operation) => operation.kind === 'backfill')) return 'backfilling'
  if (!covered(facts)) return 'expanded'
  if (!verified(facts)) return 'covered'
  return facts.finalizeMissing.length === 0 && backfilled !== null ? 'finalized' : 'verified'
}

/** A column drop was prepared, every safety check had passed, and nothing has changed since. */
export function readyToDrop({ columnDrop }: Pick<Known, 'columnDrop'>): boolean {
  return columnDrop !== null && columnDrop.prepared && columnDrop.verdict === 'pass' && columnDrop.staleBecause === null
}

/** A backfill of this file has ended with nothing left, after the last data rollback. */
export function covered(facts: Known): boolean {
  const { backfilled, dataRolledBack, rollout } = facts
  if (!facts.expanded || backfilled?.endedAt == null || backfilled.fileHash !== rollout.hash) return false
  if (!ofThisColumn(facts, backfilled.endedAt)) return false
  return dataRolledBack?.endedAt == null || dataRolledBack.endedAt < backfilled.endedAt
}

/**
 * A validation of this file has passed since the last backfill, retry or rollback ended: all checks of every layer that
 * the file requires. None of them has failed since then in another one.
 */
export function verified(facts: Known): boolean {
  const { validation, rollout, lastWriteEndedAt } = facts
  if (validation === null || validation.verdict !== 'pass' || validation.fileHash !== rollout.hash) return false
  const passed = validation.layers.filter((one) => one.complete && one.verdict === 'pass').map((one) => one.layer)
  if (!rollout.file.validation.requires.every((layer) => passed.includes(layer))) return false
  if (facts.failedSince.length > 0) return false
  if (!ofThisColumn(facts, validation.startedAt)) return false
  return lastWriteEndedAt === null || validation.startedAt > lastWriteEndedAt
}

/** Coverage as the last validation counted it; null when that was of a column that is gone. */
export function coverageOf(facts: Facts): number | null {
  const { counted, dataRolledBack, table } = facts
  if (counted === null || table?.discriminator == null || !ofThisColumn(facts, counted.startedAt)) return null
  if (dataRolledBack?.endedAt != null && dataRolledBack.endedAt >= counted.startedAt) return null
  return counted.coverage
}

/** What was true before the column was added, perhaps again after somebody dropped it, says nothing of it. */
function ofThisColumn({ columnAddedAt }: Known, instant: string): boolean {
  return columnAddedAt === null || instant > columnAddedAt
}

function latest(...instants: (string | null | undefined)[]): string | null {
  return (
    instants
      .filter((instant) => instant != null)
      .sort()
      .at(-1) ?? null
  )
}
