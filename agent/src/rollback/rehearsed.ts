import { RehearsalResult, type Operation, type RehearsalStatus } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import { structureHash } from './structure.ts'

/** How much older than its interval a rehearsal may be: a schedule waits while other operations run. */
const SLACK = 0.25
const AGAIN = 'rehearse again (sti rehearse).'

/** Whether the rollbacks are proved by a rehearsal that is young enough and of what is there now. */
export function rehearsalStatus(facts: Facts, now = Date.now()): RehearsalStatus {
  const { every } = facts.rollout.file.rehearsal
  const last = lastRehearsal(facts)
  const due = rehearsalDueAt(facts)
  const base = { everySeconds: every, dueAt: due === null ? null : new Date(due).toISOString() }
  if (last === null) {
    const why = 'No rollback has been rehearsed: rehearse them (sti rehearse).'
    return { ...base, operationId: null, succeededAt: null, counts: false, why, result: null }
  }
  const why = whyNot(facts, last, now)
  const { operation, result } = last
  return { ...base, operationId: operation.id, succeededAt: operation.endedAt, counts: why === null, why, result }
}

interface Rehearsed {
  readonly operation: Operation
  readonly result: RehearsalResult
}

function lastRehearsal({ succeeded }: Facts): Rehearsed | null {
  const operation = succeeded.findLast((one) => one.kind === 'rehearsal')
  if (operation === undefined) return null
  // One of another version of this agent may have said other things.
  const { data } = RehearsalResult.safeParse(operation.result)
  return data === undefined ? null : { operation, result: data }
}

/** When the last one of this file and this structure of the table ended, however long ago, in ms since 1970. */
export function rehearsedAt(facts: Facts): number | null {
  const last = lastRehearsal(facts)
  return last === null || ofAnother(facts, last) !== null ? null : Date.parse(last.operation.endedAt!)
}

function whyNot(facts: Facts, last: Rehearsed, now: number): string | null {
  const another = ofAnother(facts, last)
  if (another !== null) return another
  const { every } = facts.rollout.file.rehearsal
  const age = (now - Date.parse(last.operation.endedAt!)) / 1000
  return age > every * (1 + SLACK)
    ? `Rehearsal ${last.operation.id} is ${days(age)} old, and every ${days(every)} there should be one: ${AGAIN}`
    : null
}

function ofAnother({ rollout, table }: Facts, { operation, result }: Rehearsed): string | null {
  if (operation.fileHash !== rollout.hash)
    return `Rehearsal ${operation.id} was of another version of the rollout file: ${AGAIN}`
  if (table !== null && structureHash(rollout, table) !== result.structure)
    return `The structure of the table has changed since rehearsal ${operation.id}: ${AGAIN}`
  return null
}

/**
 * When the next one starts by itself, in ms since 1970: one interval after one was last asked for, whatever became of it,
 * or after the column came. Null: none does before the column is there.
 */
export function rehearsalDueAt({ rollout, changes, rehearsalAskedAt }: Facts): number | null {
  const came = changes[0]?.appliedAt
  if (came === undefined) return null
  const since = Math.max(Date.parse(came), rehearsalAskedAt === null ? 0 : Date.parse(rehearsalAskedAt))
  return since + rollout.file.rehearsal.every * 1000
}

function days(seconds: number): string {
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`
}
