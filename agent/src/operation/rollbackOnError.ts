import type { Sql } from '../database/connect.ts'
import { insertOperation } from './insertOperation.ts'
import type { OperationRow } from './operationRow.ts'

/**
 * `--rollback-on-error=data`: a backfill that failed is followed by a rollback of the data, in the name of whoever
 * asked for it (and had the right to). True when one was accepted.
 */
export async function rollBackOnError(sql: Sql, failed: OperationRow): Promise<boolean> {
  if (failed.kind !== 'backfill' || failed.parameters['rollbackOnError'] !== 'data') return false
  const { created } = await insertOperation(sql, {
    rollout: failed.rollout,
    kind: 'rollback',
    fileHash: failed.file_hash,
    writesTable: true,
    actor: failed.actor,
    parameters: { scope: 'data', full: false, confirm: failed.rollout },
    reason: `backfill ${failed.id} failed, and was started with --rollback-on-error=data`,
    idempotencyKey: `after-${failed.id}`,
  })
  return created
}

/**
 * Asks for the rollbacks that an agent owes which died between the two: of a backfill that failed, and since which
 * nothing has been asked for that writes the table.
 */
export async function startMissedRollbacks(sql: Sql, hashes: ReadonlyMap<string, string>): Promise<void> {
  const failed = await sql<OperationRow[]>`
    select * from sti.operation o where kind = 'backfill' and state = 'failed' and parameters->>'rollbackOnError' = 'data'
      and not exists (select from sti.operation later
        where later.rollout = o.rollout and later.writes_table and later.id > o.id)`
  for (const row of failed) if (hashes.get(row.rollout) === row.file_hash) await rollBackOnError(sql, row)
}
