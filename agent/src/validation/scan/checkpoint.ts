import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { formatQuantity } from '../../format/format.ts'
import type { RunContext } from '../../kind/kind.ts'
import type { Key } from '../../engine/keys.ts'
import { FenceLostError } from '../../kind/operationErrors.ts'
import type { Table } from '../../rollout/rollout.ts'
import { readCounters, type TableCounters } from '../counts/tableCounters.ts'
import { createTally, type ScanTally } from './scanTally.ts'

/** The saved state of a table scan. */
export interface ScanCheckpoint {
  readonly startedAt: Date
  readonly relation: string
  readonly position: Key | null
  readonly finished: boolean
  readonly tally: ScanTally
  /** PostgreSQL's counters of the table when the scan started. */
  readonly counters: TableCounters
}

interface ScanCheckpointRow {
  readonly started_at: Date
  readonly relation_identity: string
  readonly position: Key | null
  readonly finished: boolean
  readonly tally: ScanTally
  readonly start_counters: TableCounters
}

/**
 * Resumes the scan of this operation from its checkpoint, or starts one. A scan describes each row at some moment since
 * `startedAt`, so pauses do not matter. It starts over if the table was recreated or rewritten, or if a bulk write has run
 * since it started, because its verdict would not open the gate.
 */
export async function resumeOrStartScan(
  run: RunContext,
  table: Table,
  lastWriteEndedAt: string | null,
): Promise<ScanCheckpoint> {
  const { state } = run.database
  const relation = await readRelationIdentity(state, table, run.rollout.discriminator.column)
  const [row] = await state<ScanCheckpointRow[]>`
    select started_at, relation_identity, position, finished, tally, start_counters from sti.validation_scan where operation_id = ${run.operation.id}`
  if (row) {
    const restartReason =
      row.relation_identity !== relation
        ? 'the table was recreated or rewritten'
        : lastWriteEndedAt !== null && lastWriteEndedAt >= row.started_at.toISOString()
          ? 'a bulk write has run since the scan started'
          : null
    if (restartReason === null) {
      if (row.position !== null && !row.finished)
        await run.recordEvent(
          'validation',
          `resumes the scan at ${row.position.join('/')} after ${formatQuantity(row.tally.rows, 'row')}`,
        )
      return {
        startedAt: row.started_at,
        relation,
        position: row.position,
        finished: row.finished,
        tally: row.tally,
        counters: row.start_counters,
      }
    }
    await run.recordEvent('validation', `restarts the scan: ${restartReason}`)
  }
  const { now } = onlyRow(await state<{ now: Date }[]>`select clock_timestamp() as now`)
  const counters = await readCounters(state, table.oid)
  return { counters, startedAt: now, relation, position: null, finished: false, tally: createTally() }
}

/** @throws FenceLostError if another agent has claimed the operation in the meantime */
export async function saveScanCheckpoint(run: RunContext, checkpoint: ScanCheckpoint): Promise<void> {
  const { state } = run.database
  const saved = await state`
    insert into sti.validation_scan (operation_id, started_at, relation_identity, position, finished, tally, start_counters)
    select o.id, ${checkpoint.startedAt}::timestamptz, ${checkpoint.relation}::text, ${checkpoint.position === null ? null : state.json([...checkpoint.position])}::jsonb,
      ${checkpoint.finished}::boolean, ${state.json(checkpoint.tally as never)}::jsonb, ${state.json(checkpoint.counters as never)}::jsonb
    from sti.operation o where o.id = ${run.claim.id} and o.epoch = ${run.claim.epoch} and o.claim = ${run.claim.claim} for no key update
    on conflict (operation_id) do update set started_at = excluded.started_at, relation_identity = excluded.relation_identity,
      position = excluded.position, finished = excluded.finished, tally = excluded.tally, start_counters = excluded.start_counters
    returning operation_id`
  if (saved.length === 0) throw new FenceLostError('another agent has claimed this validation')
}

/** Deletes the checkpoint after the validation is stored, and those of cancelled and failed validations. */
export async function deleteScanCheckpoint(sql: Sql, operationId: bigint): Promise<void> {
  await sql`delete from sti.validation_scan where operation_id = ${operationId}
    or operation_id in (select id from sti.operation where kind = 'validation' and state in ('cancelled', 'failed'))`
}

/** Changes with TRUNCATE, a rewrite or a restore (filenode), and if the column is dropped and added again (attnum). */
async function readRelationIdentity(sql: Sql, table: Table, column: string): Promise<string> {
  const [row] = await sql<{ relation: string }[]>`
    select format('%s/%s %s', ${table.oid}::oid, (select attnum from pg_attribute where attrelid = ${table.oid}::oid and attname = ${column}),
      (select string_agg(format('%s:%s', c.oid, pg_relation_filenode(c.oid)), ' ' order by c.oid) from pg_class c
        where c.oid = ${table.oid}::oid or c.oid in (select relid from pg_partition_tree(${table.oid}::oid::regclass)))) as relation`
  return row!.relation
}
