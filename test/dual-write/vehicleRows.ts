import { withSession } from '../support/faultInjection.ts'
import type postgres from 'postgres'

/** A row as [is_truck, is_bike, type]. */
export type VehicleColumns = readonly [boolean | null, boolean | null, string | null]

export const TRUCK: VehicleColumns = [true, false, 'Truck']
export const BIKE: VehicleColumns = [false, true, 'Bike']
export const CAR: VehicleColumns = [false, false, 'Car']

/** The types of some seeded rows. */
export const SEED_ROW_IDS = { truck: 1, car: 3, bike: 5 }

export async function readRow(sql: postgres.Sql, condition: string): Promise<VehicleColumns> {
  const rows = await sql.unsafe(`select is_truck, is_bike, type from public.vehicles where ${condition}`)
  if (rows.length !== 1) throw new Error(`${rows.length} rows where ${condition}`)
  return [rows[0]!['is_truck'] as boolean, rows[0]!['is_bike'] as boolean, rows[0]!['type'] as string | null]
}

/** The row after the statements, which are rolled back; or the SQLSTATE and message that refused them. */
export async function tryStatements(
  url: string,
  statements: string,
  condition: string,
): Promise<VehicleColumns | string> {
  return await withSession(url, async (session) => {
    try {
      await session.unsafe(`begin; ${statements}`)
      return await readRow(session, condition)
    } catch (error) {
      const { code, message } = error as postgres.PostgresError
      return `${code} ${message}`
    } finally {
      await session.unsafe('rollback')
    }
  })
}

export async function readConflictCounts(sql: postgres.Sql): Promise<Record<string, number>> {
  const rows = await sql<{ name: string; count: number }[]>`
    select split_part(sequencename, '_', 2) as name, coalesce(last_value, 0)::int as count
    from pg_sequences where schemaname = 'sti' and sequencename like 'conflicts\\_%'`
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}
