import type { Sql } from '../database/connect.ts'
import { insertOperation } from './insertOperation.ts'
import type { OperationRow } from './operationRow.ts'

/**
 * `rollbackOnError: data`: rolls back the data after a failed backfill, as the actor that requested the backfill with
 * the right to do so. True if a rollback was accepted.
 */
export async function rollBackOnError(sql: Sql, failed: OperationRow): Promise<boolean> {
  if (failed.kind !== 'backfill' || failed.parameters['rollbackOnError'] !== 'data') return false
  const { created } = await insertOperation(sql, {
    rollout: failed.rollout,
    kind: 'rollback',
    fileHash: failed.file_hash,
    derivationHash: failed.derivation_hash,
    writesTable: true,
    actor: failed.actor,
    parameters: { scope: 'data', full: false, confirm: failed.rollout },
    reason: `Backfill ${failed.id} failed, and was started with --rollback-on-error=data.`,
    idempotencyKey: `after-${failed.id}`,
  })
  return created
}

/**
 * Starts the rollbacks that are missing because an agent died after the backfill failed: no operation that writes the
 * table was requested since.
 */
export async function startMissedRollbacks(sql: Sql, derivationHashes: ReadonlyMap<string, string>): Promise<void> {
  const failed = await sql<OperationRow[]>`
    select * from sti.operation o where kind = 'backfill' and state = 'failed' and parameters->>'rollbackOnError' = 'data'
      and not exists (select from sti.operation later
        where later.rollout = o.rollout and later.writes_table and later.id > o.id)`
  for (const row of failed)
    if (derivationHashes.get(row.rollout) === row.derivation_hash) await rollBackOnError(sql, row)
}
