import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../database/connect.ts'
import type { Run } from './kind.ts'
import { codeOf, FENCE_LOST_SQLSTATE, isAway, messageOf, OperationTrouble } from './errors.ts'
import { lockHolders } from './holders.ts'
import { FenceLost } from './lane.ts'
import { literal } from '../rollout/names.ts'

/** A change of ours to the system, with what takes it back. */
export interface Change {
  readonly kind:
    | 'column'
    | 'function'
    | 'trigger'
    | 'restore'
    | 'index'
    | 'constraint'
    | 'not-null'
    | 'setting'
    | 'sampling'
    | 'archive'
    | 'proof'
  readonly object: string
  readonly statement: string
  readonly inverse: string
  /** An SQL expression of text: its definition in the catalog now, NULL when it is not there. */
  readonly look: string
  /** What `look` gives once it is taken back. */
  readonly back: string | null
  readonly before?: unknown
}

export interface Ddl {
  /** For people: what it is about. */
  readonly what: string
  /** SQL in order; each change's statement is run and journaled in the same transaction. */
  readonly steps: readonly (string | Change)[]
}

const LOCK_TIMEOUT = '100ms'
const TRIES = 120

/**
 * Runs DDL as one transaction that begins with the fence: short lock time-out, retries with jitter, never a try
 * without a time-out. It names who holds the lock. Stops with OperationTrouble when the table stays locked.
 * @throws FenceLost when another agent has claimed the operation meanwhile
 */
export async function runDdl(run: Run, sql: Sql, ddl: Ddl): Promise<void> {
  const text = transactionText(run, ddl)
  let told = ''
  for (let attempt = 0; ; attempt++) {
    if (run.asked() !== 'go-on') throw new DdlStopped()
    try {
      await run.reached('ddl.sending')
      await sql.unsafe(text)
      await run.reached('ddl.committed')
      return
    } catch (error) {
      const code = codeOf(error)
      await run.reached('ddl.refused')
      // The connection is ours alone, so this ends the failed transaction and nothing else.
      await sql.unsafe('rollback').catch((cause: unknown) => {
        if (!isAway(cause)) throw cause
      })
      if (code === FENCE_LOST_SQLSTATE) throw new FenceLost(messageOf(error))
      if (code !== '55P03' && code !== '40P01') throw error
      const holders = await lockHolders(sql, run.rollout.table.sql)
      if (attempt === TRIES)
        throw new OperationTrouble(`${ddl.what}: the table stays locked by ${holders}. End that, then resume.`)
      if (told !== holders) await run.event('ddl', `${ddl.what} waits for a lock held by ${holders}`)
      told = holders
      await run.reached('ddl.waiting')
      await delay((100 + Math.min(2_000, attempt * 50)) * (0.5 + Math.random()))
    }
  }
}

/** Asked to pause or cancel before the statement had its lock: nothing was changed. */
export class DdlStopped extends Error {
  readonly code = 'stopped'
}

function transactionText(run: Run, ddl: Ddl): string {
  const { id, epoch, claim } = run.claim
  return [
    'begin',
    `set local lock_timeout = '${LOCK_TIMEOUT}'`,
    `do $fence$ begin
      perform from sti.operation where id = ${id} and epoch = ${epoch} and claim = '${claim}' for no key update;
      if not found then raise exception 'another agent has claimed this operation' using errcode = '${FENCE_LOST_SQLSTATE}'; end if;
    end $fence$`,
    ...ddl.steps.flatMap((step) => (typeof step === 'string' ? [step] : [step.statement, journal(run, step, true)])),
    'commit',
  ].join(';\n')
}

/** The journal row of a change; `confirmed` is false before a statement that cannot run in a transaction. */
export function journal(run: Run, change: Change, confirmed: boolean): string {
  return `insert into sti.change (rollout, operation_id, kind, object, statement, inverse, before, look, back, made, confirmed_at) values (${[
    ...[literal(run.rollout.name), String(run.operation.id), literal(change.kind), literal(change.object)],
    ...[literal(change.statement), literal(change.inverse), jsonLiteral(change.before)],
    ...[literal(change.look), change.back === null ? 'null' : literal(change.back), confirmed ? change.look : 'null'],
    confirmed ? 'clock_timestamp()' : 'null',
  ].join(', ')})`
}

function jsonLiteral(value: unknown): string {
  return value === null || value === undefined ? 'null' : `${literal(JSON.stringify(value))}::jsonb`
}
