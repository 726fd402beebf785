import postgres from 'postgres'
import { formatCount } from '@sti-rollout/agent/format'
import { SEED_ROW_SQL } from '../seed/vehiclesTable.ts'
import type { ExpectedRows, ExpectedRow } from '../traffic/expectedRows.ts'

export interface RowDifferences {
  readonly rows: number
  readonly lost: number
  readonly extra: number
  readonly changed: number
  /** Rows whose type does not match their legacy columns; null if the table has no type column. */
  readonly wrongType: number | null
  readonly samples: readonly string[]
}

/**
 * Compares all columns of every row with the expected ones. The traffic knows the rows that it changed; every other
 * row must equal its seed, including updated_at. The traffic must be paused.
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
    if (!counts) throw new Error('the comparison returned no row')
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

/** The result in one line, and true if there is no difference. */
export function summarizeDifferences(differences: RowDifferences): { matches: boolean; text: string } {
  const matches = differences.lost + differences.extra + differences.changed === 0 && !differences.wrongType
  const types = differences.wrongType === null ? '' : `, ${differences.wrongType} with a wrong type`
  const samples = differences.samples.length > 0 ? ` (${differences.samples.join(', ')})` : ''
  const text = `${formatCount(differences.rows)} rows: ${differences.lost} lost, ${differences.changed} changed, ${differences.extra} extra${types}${samples}`
  return { matches, text }
}
