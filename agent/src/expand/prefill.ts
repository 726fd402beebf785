import type { Database, Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { formatCount, formatPercent } from '../format/format.ts'
import type { Prefill } from '../kind/facts.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { sampleTable } from '../rollout/tableSample.ts'
import { dollarQuote } from '../dualWrite/deriveTrigger.ts'

/** Below this share, a prefill saves too few writes to be worth rows that temporarily hold a wrong type. */
const MIN_PREFILL_SHARE = 0.2
/** Pages to sample. Rows of a page are alike, so pages decide the accuracy: 1,000 pages give the share within about 3%. */
const SAMPLED_PAGES = 1_000

/** The constant to add the column with, or null; `sentence` says why. */
export interface PrefillChoice {
  readonly prefill: Prefill | null
  readonly sentence: string
}

/** Finds the most common type before any lock is taken: reads all rows of a small table, a sample of a large one. */
export async function choosePrefill(database: Database, rollout: Rollout, table: Table): Promise<PrefillChoice> {
  const sql = database.engine({ purpose: 'sample', readOnly: true })
  try {
    return chooseFromSample(rollout, await sampleTypes(sql, rollout, table))
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Notes for the preview of a prefill. */
export async function prefillNotes(database: Database, rollout: Rollout): Promise<string[]> {
  const slots = await database.state<{ name: string }[]>`
    select slot_name as name from pg_replication_slots where slot_type = 'logical' and database = current_database()`
  return [
    ...(rollout.mayBeUnmapped
      ? ['Rows that match no type also read as this type until the backfill sets them to NULL.']
      : []),
    'A row that the backfill cannot write keeps this type and is a failed row.',
    ...(slots.length > 0
      ? [
          `Rows that keep this type are never written, so consumers of the logical replication slots ${slots.map((slot) => slot.name).join(', ')} do not receive their type.`,
        ]
      : []),
  ]
}

interface TypeSample {
  readonly rows: number
  /** Rows per type, in the order of the file. Rows that match no type or whose expression raises are not counted. */
  readonly rowsByType: readonly number[]
  readonly everyRow: boolean
}

function chooseFromSample(rollout: Rollout, { rows, rowsByType, everyRow }: TypeSample): PrefillChoice {
  const decline = (reason: string): PrefillChoice => ({
    prefill: null,
    sentence: `The column is not prefilled: ${reason}.`,
  })
  if (rows === 0) return decline(everyRow ? 'the table is empty' : 'the sampled pages have no rows')
  const largestCount = Math.max(...rowsByType)
  const type = rollout.types[rowsByType.indexOf(largestCount)]!
  const share = Math.round((largestCount / rows) * 10_000) / 10_000
  const shareDescription = `${formatPercent(share)} of ${everyRow ? '' : 'the '}${formatCount(rows)} ${everyRow ? '' : 'sampled '}rows`
  if (share < MIN_PREFILL_SHARE)
    return decline(
      `the most common type, ${type}, has only ${shareDescription} (minimum ${formatPercent(MIN_PREFILL_SHARE)})`,
    )
  return {
    prefill: { type, share, sampledRows: rows },
    sentence:
      `Existing rows read as ${type}, the most common type (${shareDescription}), without being written. ` +
      `Rows of other types also read as ${type} until the backfill has written them: nothing may read the column before that.`,
  }
}

/**
 * Derives the type of each sampled row in its own exception block, so that an expression that raises affects one row.
 * That costs a few microseconds per row in PL/pgSQL.
 */
async function sampleTypes(sql: Sql, rollout: Rollout, table: Table): Promise<TypeSample> {
  const { clause, sampled } = await sampleTable(sql, table, SAMPLED_PAGES)
  const columns = rollout.conditionColumns.map((name) => table.columns.find((column) => column.name === name)!.sql)
  const branches = rollout.types.map((_, index) => `(${index + 1})`).join(', ')
  const block = `declare
    t record;
    types constant text[] := array(select jsonb_array_elements_text(${dollarQuote(JSON.stringify(rollout.types))}::jsonb));
    of_type bigint[] := array(select 0 from (values ${branches}) as type);
    place int;
    seen bigint := 0;
  begin
    for t in select ${['true as "~row"', ...columns].join(', ')} from ${rollout.table.sql}${clause} loop
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
  return { rows, rowsByType, everyRow: !sampled }
}
