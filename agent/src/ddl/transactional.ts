import { setTimeout as delay } from 'node:timers/promises'
import { isCitusTable } from '../citus/readCitusTable.ts'
import { removeOrphanedShards, shardDdlTransaction } from '../citus/shardTransaction.ts'
import type { Sql } from '../database/connect.ts'
import type { RunContext } from '../kind/kind.ts'
import { errorCode, isConnectionError, errorMessage } from '../database/errors.ts'
import {
  describeHolders,
  holdersKey,
  observeBlockers,
  readTableLockHolders,
  type LockHolder,
} from '../database/lockHolders.ts'
import { DdlStoppedError, FENCE_LOST_SQLSTATE, FenceLostError, OperationPausedError } from '../kind/operationErrors.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { splitStatements } from '../rollout/sqlParser.ts'

/** A change that STI makes to the database, with its inverse. */
export interface ReversibleChange {
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
    | 'trial'
  readonly object: string
  readonly statement: string
  readonly inverse: string
  /** SQL expression (text): the current definition in the catalog; NULL if the object does not exist. */
  readonly definitionSql: string
  /** Value of `definitionSql` after the change is reverted. */
  readonly definitionAfterRevert: string | null
  readonly before?: unknown
}

export interface DdlTransaction {
  /** For events and errors, such as `adding the column`. */
  readonly description: string
  /** Statements in order. Each change is executed and journaled in the same transaction. */
  readonly steps: readonly (string | ReversibleChange)[]
}

const LOCK_TIMEOUT = '100ms'
const MAX_ATTEMPTS = 120
/** How long Citus may take to remove the earlier copies of shards that moved, which still have the trigger: 15 s by default. */
const ORPHANED_SHARDS_TIMEOUT_MS = 60_000

/**
 * Runs DDL as one transaction that begins with the fence. Each attempt has a short lock timeout; attempts are retried with
 * jitter, and the lock holders are recorded. From the second attempt on, they are read while the attempt waits.
 * @throws OperationPausedError if the table stays locked
 * @throws FenceLostError if another agent has claimed the operation
 * @throws DdlStoppedError if the operation was asked to stop before the DDL had its lock
 */
export async function runDdl(run: RunContext, sql: Sql, ddl: DdlTransaction): Promise<void> {
  const transaction = ddlTransactionSql(run, ddl)
  const inShards = await isCitusTable(run.database.state, run.rollout.table.sql)
  const text = inShards ? shardDdlTransaction(splitStatements(transaction)) : transaction
  const startedAt = performance.now()
  let holders: readonly LockHolder[] = []
  let reportedKey = ''
  for (let attempt = 0; ; attempt++) {
    if (run.directive() !== 'continue') throw new DdlStoppedError()
    try {
      await run.failpoint('ddl.sending')
      if (attempt === 0) await sql.unsafe(text)
      else
        await observeBlockers(
          run.database.state,
          sql,
          () => sql.unsafe(text),
          (found) => {
            holders = found
          },
        )
      await run.failpoint('ddl.committed')
      if (reportedKey !== '') run.setStep(ddl.description)
      return
    } catch (error) {
      const code = errorCode(error)
      await run.failpoint('ddl.refused')
      // No other code uses the connection, so this ends the failed transaction and nothing else.
      await sql.unsafe('rollback').catch((cause: unknown) => {
        if (!isConnectionError(cause)) throw cause
      })
      if (code === FENCE_LOST_SQLSTATE) throw new FenceLostError(errorMessage(error))
      if (code === '2BP01' && inShards && performance.now() - startedAt < ORPHANED_SHARDS_TIMEOUT_MS) {
        run.setStep(`${ddl.description}: waiting until Citus has removed the earlier copies of shards that moved`)
        await removeOrphanedShards(sql)
        await delay(1_000)
        continue
      }
      if (code !== '55P03' && code !== '40P01') throw error
      if (holders.length === 0) holders = await readTableLockHolders(sql, run.rollout.table.sql)
      if (attempt === MAX_ATTEMPTS)
        throw new OperationPausedError(
          `${ddl.description} failed: a lock is still held by ${describeHoldersOrNone(holders)}. End that session or transaction, then resume.`,
        )
      const key = holdersKey(holders)
      if (key !== '' && key !== reportedKey) {
        const message = `${ddl.description}: waiting for a lock held by ${describeHolders(holders)}`
        run.setStep(message)
        await run.recordEvent('ddl', message)
        reportedKey = key
      }
      await run.failpoint('ddl.waiting')
      await delay((100 + Math.min(2_000, attempt * 50)) * (0.5 + Math.random()))
    }
  }
}

/** Nobody is named only if nobody held a lock at any attempt. */
function describeHoldersOrNone(holders: readonly LockHolder[]): string {
  return holders.length === 0 ? 'a session that ended before it could be read' : describeHolders(holders)
}

function ddlTransactionSql(run: RunContext, ddl: DdlTransaction): string {
  const { id, epoch, claim } = run.claim
  return [
    'begin',
    `set local lock_timeout = '${LOCK_TIMEOUT}'`,
    `do $fence$ begin
      perform from sti.operation where id = ${id} and epoch = ${epoch} and claim = '${claim}' for no key update;
      if not found then raise exception 'another agent has claimed this operation' using errcode = '${FENCE_LOST_SQLSTATE}'; end if;
    end $fence$`,
    ...ddl.steps.flatMap((step) =>
      typeof step === 'string' ? [step] : [step.statement, journalInsertSql(run, step, true)],
    ),
    'commit',
  ].join(';\n')
}

/** SQL that journals a change. `confirmed` is false before a statement that cannot run in a transaction. */
export function journalInsertSql(run: RunContext, change: ReversibleChange, confirmed: boolean): string {
  return `insert into sti.change (rollout, operation_id, kind, object, statement, inverse, before, definition_sql, definition_after_revert, definition_after_apply, confirmed_at) values (${[
    ...[
      quoteLiteral(run.rollout.name),
      String(run.operation.id),
      quoteLiteral(change.kind),
      quoteLiteral(change.object),
    ],
    ...[quoteLiteral(change.statement), quoteLiteral(change.inverse), jsonbLiteral(change.before)],
    ...[
      quoteLiteral(change.definitionSql),
      change.definitionAfterRevert === null ? 'null' : quoteLiteral(change.definitionAfterRevert),
      confirmed ? change.definitionSql : 'null',
    ],
    confirmed ? 'clock_timestamp()' : 'null',
  ].join(', ')})`
}

function jsonbLiteral(value: unknown): string {
  return value === null || value === undefined ? 'null' : `${quoteLiteral(JSON.stringify(value))}::jsonb`
}
