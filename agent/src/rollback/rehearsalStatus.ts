import { RehearsalResult, type Operation, type RehearsalStatus } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { structureHash } from './structureHash.ts'

/** How much older than its interval a rehearsal may be: a schedule waits while other operations run. */
const AGE_TOLERANCE_RATIO = 0.25
const REHEARSE_AGAIN = 'rehearse again (sti rehearse).'

/** Whether the rollbacks are proved by a rehearsal that is young enough and of what is there now. */
export function rehearsalStatus(facts: RolloutFacts, now = Date.now()): RehearsalStatus {
  const { every } = facts.rollout.file.rehearsal
  const last = lastRehearsal(facts)
  const dueAtMs = rehearsalDueAt(facts)
  const base = { everySeconds: every, dueAt: dueAtMs === null ? null : new Date(dueAtMs).toISOString() }
  if (last === null) {
    const why = 'No rollback has been rehearsed: rehearse them (sti rehearse).'
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
  const operation = succeeded.findLast((one) => one.kind === 'rehearsal')
  if (operation === undefined) return null
  // One of another version of this agent may have said other things.
  const { data } = RehearsalResult.safeParse(operation.result)
  return data === undefined ? null : { operation, result: data }
}

/** When the last one of this file and this structure of the table ended, however long ago, in ms since 1970. */
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
    ? `Rehearsal ${last.operation.id} is ${formatAge(age)} old, and every ${formatAge(every)} there should be one: ${REHEARSE_AGAIN}`
    : null
}

function mismatchReason({ rollout, table }: RolloutFacts, { operation, result }: LastRehearsal): string | null {
  if (operation.fileHash !== rollout.hash)
    return `Rehearsal ${operation.id} was of another version of the rollout file: ${REHEARSE_AGAIN}`
  if (table !== null && structureHash(rollout, table) !== result.structure)
    return `The structure of the table has changed since rehearsal ${operation.id}: ${REHEARSE_AGAIN}`
  return null
}

/**
 * When the next one starts by itself, in ms since 1970: one interval after one was last asked for, whatever became of it,
 * or after the column came. Null: none does before the column is there.
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

function formatAge(seconds: number): string {
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
