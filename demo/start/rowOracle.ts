import postgres from 'postgres'
import { SEED_ROW_SQL } from '../seed/vehiclesTable.ts'
import type { ExpectedRows, ExpectedRow } from '../traffic/expectedRows.ts'

export interface RowDifferences {
  readonly rows: number
  readonly lost: number
  readonly extra: number
  readonly changed: number
  /** Rows whose type is not what their legacy columns say; null where there is no such column. */
  readonly wrongType: number | null
  readonly samples: readonly string[]
}

/**
 * Compares every row with what it must be, all columns of it: the traffic knows the rows it changed, every other row
 * of the seed must be as it was written, its updated_at too. The traffic must be paused.
 */
export async function compareRows(url: string, seedRows: number, expected: ExpectedRows): Promise<RowDifferences> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    const [counts] = await sql<
      { rows: string; lost: string; extra: string; changed: string; samples: string[] | null }[]
    >`
      with touched as materialized (
        select * from jsonb_to_recordset(${sql.json(recordset(expected))}) as t(
          id bigint, vin text, name text, is_truck boolean, is_bike boolean, axles integer, owner_email text,
          price numeric(12, 2))
      ), apart as materialized (
        select value::bigint as id from jsonb_array_elements_text(${sql.json([...expected.deleted, ...expected.unknown])})
        union all select id from touched
      ), expected as (
        select id, vin, name, is_truck, is_bike, axles, owner_email, price,
          null::timestamptz as created_at, null::timestamptz as updated_at from touched
        union all
        select n, ${sql.unsafe(SEED_ROW_SQL)} from generate_series(1, ${seedRows}::bigint) n
        where not exists (select from apart where apart.id = n)
      ), compared as (
        select coalesce(v.id, e.id) as id, e.id is null as extra, v.id is null as lost,
          (v.vin, v.name, v.is_truck, v.is_bike, v.axles, v.owner_email, v.price) is distinct from
          (e.vin, e.name, e.is_truck, e.is_bike, e.axles, e.owner_email, e.price)
          or (e.updated_at is not null
            and (v.created_at, v.updated_at) is distinct from (e.created_at, e.updated_at)) as differs
        from (select * from public.vehicles where id not in (
          select value::bigint from jsonb_array_elements_text(${sql.json([...expected.unknown])}))) v
        full join expected e using (id)
      )
      select count(*) filter (where not lost) as rows, count(*) filter (where lost) as lost,
        count(*) filter (where extra) as extra, count(*) filter (where differs and not lost and not extra) as changed,
        (array_agg(id || case when lost then ' lost' when extra then ' extra' else ' changed' end)
          filter (where differs or lost or extra))[1:5] as samples
      from compared`
    if (!counts) throw new Error('the comparison gave no row')
    return {
      rows: Number(counts.rows),
      lost: Number(counts.lost),
      extra: Math.max(0, Number(counts.extra) - expected.unknownCreations),
      changed: Number(counts.changed),
      wrongType: await countWrongTypes(sql),
      samples: counts.samples ?? [],
    }
  } finally {
    await sql.end()
  }
}

const recordset = (expected: ExpectedRows) =>
  [...expected.updated, ...expected.created].map((row: ExpectedRow) => ({
    id: row.id,
    vin: row.vin,
    name: row.name,
    is_truck: row.isTruck,
    is_bike: row.isBike,
    axles: row.axles,
    owner_email: row.ownerEmail,
    price: row.price,
  }))

async function countWrongTypes(sql: postgres.Sql): Promise<number | null> {
  const [column] = await sql`
    select from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type' and not attisdropped`
  if (!column) return null
  const [row] = await sql<{ wrong: string }[]>`
    select count(*) as wrong from public.vehicles where type::text is distinct from
      case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
  return Number(row?.wrong)
}

/** One word that says whether it held, for the screen. */
export function summarizeDifferences(found: RowDifferences): { held: boolean; text: string } {
  const held = found.lost + found.extra + found.changed === 0 && !found.wrongType
  const types = found.wrongType === null ? '' : `, ${found.wrongType} of a wrong type`
  const samples = found.samples.length > 0 ? ` (${found.samples.join(', ')})` : ''
  const text = `${found.rows.toLocaleString('en-US')} rows: ${found.lost} lost, ${found.changed} changed, ${found.extra} extra${types}${samples}`
  return { held, text }
}
