import { withSession } from '../safety/disturbing.ts'
import type postgres from 'postgres'

/** A row as [is_truck, is_bike, type]. */
export type Row = readonly [boolean | null, boolean | null, string | null]

export const TRUCK: Row = [true, false, 'Truck']
export const BIKE: Row = [false, true, 'Bike']
export const CAR: Row = [false, false, 'Car']

/** What some of the seed's rows are. */
export const SEED = { truck: 1, car: 3, bike: 5 }

export async function rowOf(sql: postgres.Sql, condition: string): Promise<Row> {
  const rows = await sql.unsafe(`select is_truck, is_bike, type from public.vehicles where ${condition}`)
  if (rows.length !== 1) throw new Error(`${rows.length} rows where ${condition}`)
  return [rows[0]!['is_truck'] as boolean, rows[0]!['is_bike'] as boolean, rows[0]!['type'] as string | null]
}

/** What a row is after statements, which are taken back; or the SQLSTATE and message that refused them. */
export async function tried(url: string, statements: string, condition: string): Promise<Row | string> {
  return await withSession(url, async (session) => {
    try {
      await session.unsafe(`begin; ${statements}`)
      return await rowOf(session, condition)
    } catch (error) {
      const { code, message } = error as postgres.PostgresError
      return `${code} ${message}`
    } finally {
      await session.unsafe('rollback')
    }
  })
}

export async function conflicts(sql: postgres.Sql): Promise<Record<string, number>> {
  const rows = await sql<{ name: string; count: number }[]>`
    select split_part(sequencename, '_', 2) as name, coalesce(last_value, 0)::int as count
    from pg_sequences where schemaname = 'sti' and sequencename like 'conflicts\\_%'`
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}
