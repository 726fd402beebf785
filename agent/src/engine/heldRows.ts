import type { Sql } from '../database/connect.ts'
import { isLockTimeout } from '../database/errors.ts'
import { describeHolders, holdersKey, observeBlockers, type LockHolder } from '../database/lockHolders.ts'
import { formatQuantity } from '../format/format.ts'
import type { ColumnUpdate } from './columnUpdate.ts'
import { compareKeys, keyColumns, keyParameters, type Key } from './keys.ts'

/** Rows that other transactions have locked. The rest of the table is written in the meantime. */
export interface HeldRows {
  /** 0: the lock is not on rows, but on the table, or in a trigger of the application. */
  readonly rows: number
  /** Primary keys of some of them. */
  readonly keys: readonly Key[]
  /** Empty until they have been read. */
  readonly holders: readonly LockHolder[]
  /** Nothing else is left to write. */
  readonly isWaiting: boolean
}

/** One sentence for events: the held rows, their holders, and what happens in the meantime. */
function describeHeldRows({ rows, keys, holders, isWaiting }: HeldRows): string {
  const who = holders.length === 0 ? 'another transaction' : describeHolders(holders)
  if (rows === 0) return `A batch waits for a lock held by ${who}.`
  const some = keys.map((key) => key.join(', ')).join('; ')
  const what =
    rows === 1
      ? `Row ${some} is locked`
      : `${formatQuantity(rows, 'row')} (${some}${rows > keys.length ? ', …' : ''}) are locked`
  const meanwhile = isWaiting
    ? 'Every other row is written. The operation waits for the lock and continues automatically.'
    : 'The other rows are written in the meantime.'
  return `${what} by ${who}. ${meanwhile}`
}

/** A wait for a lock that is not on a row is not reported before. */
const MIN_REPORTED_WAIT_MS = 500

/**
 * Turns the state of held rows into messages: one for each holder, and one when nothing else is left; not for each
 * row.
 */
export function createHeldRowMessages(): (held: HeldRows | null) => string | null {
  let reported = ''
  let waitsSince: number | null = null
  return (held) => {
    if (held !== null && held.holders.length === 0) return null
    waitsSince = held?.rows === 0 ? (waitsSince ?? performance.now()) : null
    if (waitsSince !== null && performance.now() - waitsSince < MIN_REPORTED_WAIT_MS) return null
    const current = held === null ? '' : `${holdersKey(held.holders)} ${held.rows > 0} ${held.isWaiting}`
    if (current === reported) return null
    reported = current
    return held === null ? 'No row is locked by another transaction any longer.' : describeHeldRows(held)
  }
}

/** What the workers of one operation know of held rows. */
export interface HeldRowTracker {
  addRows(rows: number, keys: readonly Key[]): void
  /** Empty: the last batch that waited has its locks. */
  setHolders(holders: readonly LockHolder[]): void
  knowsHolders(): boolean
  /** The rows that the sweep still waits for; 0: none is held any more. */
  setRemaining(rows: number, keys: readonly Key[]): void
  /** The sweep begins, which finds every held row again and then reports what is left. */
  restart(): void
}

/** How long a probe waits behind the holder of a row. It holds no other lock during that time. */
const PROBE_TIMEOUT_MS = 300
const LISTED_KEYS = 3

/** `report` is called after each change; null: no row is held. */
export function createHeldRowTracker(report: (held: HeldRows | null) => void): HeldRowTracker {
  const nothing: HeldRows = { rows: 0, keys: [], holders: [], isWaiting: false }
  let held = nothing
  const update = (change: Partial<HeldRows>): void => {
    held = { ...held, ...change }
    report(held.rows === 0 && held.holders.length === 0 ? null : held)
  }
  return {
    addRows(rows, keys) {
      update({ rows: held.rows + rows, keys: held.keys.length > 0 ? held.keys : keys.slice(0, LISTED_KEYS) })
    },
    setHolders(holders) {
      // Rows stay held by whom they were held, although the batch around them has its locks.
      if (holders.length === 0 && held.rows > 0) return
      if (holders.length > 0 || held.holders.length > 0) update({ holders })
    },
    knowsHolders: () => held.holders.length > 0,
    setRemaining(rows, keys) {
      update({ rows, keys: keys.slice(0, LISTED_KEYS), isWaiting: rows > 0, holders: rows > 0 ? held.holders : [] })
    },
    restart() {
      held = nothing
    },
  }
}

/**
 * Reads who holds a row: waits behind its holder for a moment, and queries PostgreSQL for the holder during that
 * time. Does nothing if the row is free.
 */
export async function probeHeldRow(
  observer: Sql,
  sql: Sql,
  { table, columnUpdate }: { readonly table: string; readonly columnUpdate: ColumnUpdate },
  key: Key,
  onHolders: (holders: readonly LockHolder[]) => void,
): Promise<void> {
  const probe = (): Promise<unknown> =>
    sql.unsafe(
      `with /* sti */ bound as materialized (select set_config('lock_timeout', $1::text, true))
       select 1 from bound, ${table} as t where ${compareKeys(columnUpdate.key, '=', keyColumns(columnUpdate.key, 't'), keyParameters(columnUpdate.key, 2))}
       for no key update of t`,
      [`${PROBE_TIMEOUT_MS}ms`, ...key],
    )
  try {
    await observeBlockers(observer, sql, probe, onHolders)
  } catch (error) {
    if (!isLockTimeout(error)) throw error
  }
}
