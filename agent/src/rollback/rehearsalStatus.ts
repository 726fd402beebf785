import { RehearsalResult, type Operation, type RehearsalStatus } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { structureHash } from './structureHash.ts'

/** A rehearsal may be this share older than its interval, since the schedule waits for other operations. */
const AGE_TOLERANCE_RATIO = 0.25
const REHEARSE_AGAIN = 'Rehearse again (sti rehearse).'

/** Tells if a rehearsal of the current rollout file and table structure is recent enough. */
export function rehearsalStatus(facts: RolloutFacts, now = Date.now()): RehearsalStatus {
  const { every } = facts.rollout.file.rehearsal
  const last = lastRehearsal(facts)
  const dueAtMs = rehearsalDueAt(facts)
  const base = { everySeconds: every, dueAt: dueAtMs === null ? null : new Date(dueAtMs).toISOString() }
  if (last === null) {
    const why = 'No rollback has been rehearsed. Rehearse the rollbacks (sti rehearse).'
    return { ...base, operationId: null, succeededAt: null, counts: false, why, result: null }
  }
  const why = invalidReason(facts, last, now)
  const { operation, result } = last
  return { ...base, operationId: operation.id, succeededAt: operation.endedAt, counts: why === null, why, result }
}

interface LastRehearsal {
  readonly operation: Operation
  readonly result: RehearsalResult
}

function lastRehearsal({ succeededOperations: succeeded }: RolloutFacts): LastRehearsal | null {
  const operation = succeeded.findLast((candidate) => candidate.kind === 'rehearsal')
  if (operation === undefined) return null
  // A result from a different version of the agent may have another format.
  const { data } = RehearsalResult.safeParse(operation.result)
  return data === undefined ? null : { operation, result: data }
}

/** When the last rehearsal of this file and table structure ended, regardless of its age (Unix time in milliseconds). */
export function lastMatchingRehearsalAt(facts: RolloutFacts): number | null {
  const last = lastRehearsal(facts)
  return last === null || mismatchReason(facts, last) !== null ? null : Date.parse(last.operation.endedAt!)
}

function invalidReason(facts: RolloutFacts, last: LastRehearsal, now: number): string | null {
  const mismatch = mismatchReason(facts, last)
  if (mismatch !== null) return mismatch
  const { every } = facts.rollout.file.rehearsal
  const age = (now - Date.parse(last.operation.endedAt!)) / 1000
  return age > every * (1 + AGE_TOLERANCE_RATIO)
    ? `Rehearsal ${last.operation.id} is ${formatDuration(age)} old (interval ${formatDuration(every)}). ${REHEARSE_AGAIN}`
    : null
}

function mismatchReason({ rollout, table }: RolloutFacts, { operation, result }: LastRehearsal): string | null {
  if (operation.derivationHash !== rollout.derivationHash)
    return `Rehearsal ${operation.id} used a rollout file that derives differently. ${REHEARSE_AGAIN}`
  if (table !== null && structureHash(rollout, table) !== result.structure)
    return `The structure of the table has changed since rehearsal ${operation.id}. ${REHEARSE_AGAIN}`
  return null
}

/**
 * When the next rehearsal starts automatically (Unix time in milliseconds): one interval after the last request,
 * regardless of its outcome, or after the column was added. Null: the column does not exist yet.
 */
export function rehearsalDueAt({
  rollout,
  changes,
  rehearsalRequestedAt: rehearsalAskedAt,
}: RolloutFacts): number | null {
  const columnAddedAt = changes[0]?.appliedAt
  if (columnAddedAt === undefined) return null
  const since = Math.max(Date.parse(columnAddedAt), rehearsalAskedAt === null ? 0 : Date.parse(rehearsalAskedAt))
  return since + rollout.file.rehearsal.every * 1000
}
