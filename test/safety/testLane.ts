import { compileRollout } from '../../agent/src/rollout/compileRollout.ts'
import { discriminatorUpdate } from '../../agent/src/backfill/backfillJob.ts'
import { writeBatch, BATCH_ROWS_FIRST_PARAMETER } from '../../agent/src/engine/batch.ts'
import type { ColumnUpdate } from '../../agent/src/engine/columnUpdate.ts'
import { connect, type Database, type Sql } from '../../agent/src/database/connect.ts'
import { migrate } from '../../agent/src/database/migrate.ts'
import { claimOperationLane, type Lane } from '../../agent/src/engine/lane.ts'
import { rangeCondition, type KeyedTable } from '../../agent/src/engine/keyRange.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

export interface TestLane {
  readonly url: string
  /** The test's own connection. */
  readonly sql: import('postgres').Sql
  readonly database: Database
  readonly engine: Sql
  readonly change: ColumnUpdate
  readonly walked: KeyedTable
  readonly lane: Lane
  /** The batch of the rows with low < id <= high. */
  batch(lane: Lane, low: number, high: number): Promise<{ written: number; unmapped: number }>
  takeOver(): Promise<Lane>
}

/** A table with its empty column and one lane, to test batches without an agent. */
export async function withTestLane(rows: number, use: (lane: TestLane) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, rows)
    await sql`alter table public.vehicles add column type text`
    const database = connect(url, 'a')
    try {
      await migrate(database, false)
      const { rollout } = compileRollout('vehicles.yaml', VEHICLES_FILE)
      const [operation] = await database.state<{ id: bigint }[]>`
        insert into sti.operation (rollout, kind, parameters, file_hash, derivation_hash, writes_table, actor, request_hash)
        values ('vehicles', 'backfill', '{}', ${rollout!.hash}, ${rollout!.derivationHash}, true, '{}', '') returning id`
      const engine = database.engine({ purpose: 'backfill', lockTimeoutMs: 10_000 })
      const walked = { table: rollout!.table, key: [{ name: 'id', sql: '"id"', type: 'bigint', operators: null }] }
      const change = discriminatorUpdate(rollout!, walked.key)
      const takeOver = (): Promise<Lane> => claimOperationLane(database.state, operation!.id, 'a')
      await use({
        url,
        sql,
        database,
        engine,
        change,
        walked,
        takeOver,
        lane: await takeOver(),
        batch: (lane, low, high) =>
          writeBatch(engine, change, lane, {
            relation: walked.table,
            rows: rangeCondition(
              walked,
              { low: [String(low)], high: [String(high)], rows: high - low },
              BATCH_ROWS_FIRST_PARAMETER,
            ),
            nextPosition: [String(high)],
            passedRows: high - low,
            unmappedRecording: 'counted',
            flush: true,
          }),
      })
    } finally {
      await database.close()
    }
  })
}
