import type { Database, Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import type { Prefill } from '../kind/facts.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { dollarQuote } from '../dualWrite/deriveTrigger.ts'

/** Below this share so few writes are saved that rows with a wrong type instead of none are not worth it. */
const MIN_PREFILL_SHARE = 0.2
/** Pages to look at. Neighbours are alike, so pages count, not rows: of 1,000 the share is right to about 3 %. */
const SAMPLED_PAGES = 1_000

/** The constant to add the column with, or why there is none; `sentence` is for people. */
export interface PrefillChoice {
  readonly prefill: Prefill | null
  readonly sentence: string
}

/** Looks for the commonest type, before any lock is taken: every row of a small table, some pages of a big one. */
export async function choosePrefill(database: Database, rollout: Rollout, table: Table): Promise<PrefillChoice> {
  const sql = database.engine({ purpose: 'sample', searchPath: rollout.searchPath, readOnly: true })
  try {
    return chooseFromSample(rollout, await sampleTypes(sql, rollout, table))
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** What a person should know before a prefill. */
export async function prefillNotes(database: Database, rollout: Rollout): Promise<string[]> {
  const slots = await database.state<{ name: string }[]>`
    select slot_name as name from pg_replication_slots where slot_type = 'logical' and database = current_database()`
  return [
    ...(rollout.mayBeUnmapped
      ? ['Rows that no type matches read as it too, until the backfill sets them to NULL.']
      : []),
    'A row that the backfill cannot write keeps it, and is a failed row.',
    ...(slots.length > 0
      ? [
          `Rows that keep it are never written, so readers of the logical slots ${slots.map((slot) => slot.name).join(', ')} do not hear of their type.`,
        ]
      : []),
  ]
}

interface TypeSample {
  readonly rows: number
  /** Rows of each type, in the order of the file; rows that no type matches or whose expression raises are in none. */
  readonly rowsByType: readonly number[]
  readonly everyRow: boolean
}

function chooseFromSample(rollout: Rollout, { rows, rowsByType, everyRow }: TypeSample): PrefillChoice {
  const decline = (reason: string): PrefillChoice => ({
    prefill: null,
    sentence: `The column is not prefilled: ${reason}.`,
  })
  if (rows === 0) return decline(everyRow ? 'the table is empty' : 'the sampled pages hold no row')
  const largestCount = Math.max(...rowsByType)
  const type = rollout.types[rowsByType.indexOf(largestCount)]!
  const share = Math.round((largestCount / rows) * 10_000) / 10_000
  const shareDescription = `${formatPercent(share)} of ${rows.toLocaleString('en')} rows${everyRow ? '' : ' that were sampled'}`
  if (share < MIN_PREFILL_SHARE)
    return decline(
      `the commonest type, ${type}, has only ${shareDescription}, and below ${formatPercent(MIN_PREFILL_SHARE)} it does not pay`,
    )
  return {
    prefill: { type, share, sampledRows: rows },
    sentence:
      `Rows that exist now read as ${type}, the commonest type (${shareDescription}), without being written. ` +
      `Rows of other types do too until the backfill has written them: nothing may read the column before that.`,
  }
}

const formatPercent = (share: number): string => `${Math.round(share * 1000) / 10} %`

/**
 * Derives the type of each sampled row alone, so that one whose expression raises spoils nothing. Row by row in
 * PL/pgSQL this costs a few microseconds each.
 */
async function sampleTypes(sql: Sql, rollout: Rollout, table: Table): Promise<TypeSample> {
  const { pages } = onlyRow(
    await sql<{ pages: number }[]>`
      select (coalesce(sum(pg_relation_size(oid::oid)), 0) / current_setting('block_size')::int)::float8 as pages
      from jsonb_array_elements_text(${sql.json([table.oid, ...table.partitions.map((partition) => partition.oid)])}::jsonb) as oid`,
  )
  const everyRow = pages <= SAMPLED_PAGES
  const sampleClause = everyRow ? '' : ` tablesample system (${(100 * SAMPLED_PAGES) / pages})`
  const columns = rollout.conditionColumns.map((name) => table.columns.find((column) => column.name === name)!.sql)
  const branches = rollout.types.map((_, index) => `(${index + 1})`).join(', ')
  const block = `declare
    t record;
    types constant text[] := array(select jsonb_array_elements_text(${dollarQuote(JSON.stringify(rollout.types))}::jsonb));
    of_type bigint[] := array(select 0 from (values ${branches}) as type);
    place int;
    seen bigint := 0;
  begin
    for t in select ${['true as "~row"', ...columns].join(', ')} from ${rollout.table.sql}${sampleClause} loop
      seen := seen + 1;
      begin
        place := array_position(types, (${rollout.derive('t')})::text);
      exception when others then
        place := null;
      end;
      if place is not null then of_type[place] := of_type[place] + 1; end if;
    end loop;
    perform set_config('sti.sample', jsonb_build_array(seen, of_type)::text, true);
  end`
  const results = await sql.unsafe(`do /* sti */ ${dollarQuote(block)}; select current_setting('sti.sample') as sample`)
  const { sample } = onlyRow((results as unknown as { sample: string }[][]).at(-1)!)
  const [rows, rowsByType] = JSON.parse(sample) as [number, number[]]
  return { rows, rowsByType, everyRow }
}
