import type { Sql } from '../database/connect.ts'
import type { KeyColumn, QualifiedName } from '../rollout/rollout.ts'
import { onlyRow } from './answer.ts'
import { BY_PLACE } from './blocks.ts'
import { OperationFailure } from './errors.ts'

/** A statement of one batch, as it is about to be run. */
export interface Planned {
  /** The user's table; its partitions count as it. */
  readonly table: QualifiedName
  readonly statement: string
  readonly values: readonly (string | null)[]
  /** What the batch finds its rows by: the columns of the key, or BY_PLACE. */
  readonly by: readonly KeyColumn[]
  /** Of all rows, those of this batch: 0 to 1. One of a tenth of the table may well read all of it. */
  readonly part?: number
}

/** Reading so few pages for a batch hurts nobody. */
const FEW_PAGES = 1_000
const LARGE_PART = 0.1

/**
 * Ask with a batch that has both its bounds: of one without a lower one PostgreSQL may believe, on a table that was
 * never analyzed, that it is a third of all rows.
 *
 * Refuses a statement whose plan reads the whole table, or whole partitions of it, for one batch. The plan is made
 * with the values bound, and nothing is run.
 * @throws OperationFailure `plan`, which names what is missing and what to do
 */
export async function demandPlan(sql: Sql, planned: Planned): Promise<void> {
  if ((planned.part ?? 0) >= LARGE_PART) return
  const explained = await sql.unsafe<{ 'QUERY PLAN': { Plan: Node }[] }[]>(
    `explain /* sti */ (verbose, format json) ${planned.statement}`,
    [...planned.values],
  )
  const whole = wholeReads(onlyRow(explained)['QUERY PLAN'][0]!.Plan)
  if (whole.length === 0) return
  const read = await sizes(sql, planned.table, whole)
  if (read.pages < FEW_PAGES) return
  const advice = await adviceOf(sql, planned, read.relations)
  throw new OperationFailure(
    'plan',
    `For each batch PostgreSQL would read all of ${read.relations.map((one) => one.sql).join(', ')} (${read.pages.toLocaleString('en')} pages): ${advice}`,
  )
}

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Schema?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly Node[]
}

interface Name {
  readonly schema: string
  readonly name: string
}

/** Relations that a plan reads from end to end: in order, or by an index without a condition on it. */
function wholeReads(node: Node): Name[] {
  const below = node.Plans ?? []
  const type = node['Node Type']
  const bitmap = type === 'Bitmap Heap Scan' && below.some(readsWholeIndex)
  const byIndex = type === 'Index Scan' || type === 'Index Only Scan'
  const whole = type === 'Seq Scan' || bitmap || (byIndex && node['Index Cond'] === undefined)
  const name = node['Relation Name']
  const own = whole && name !== undefined ? [{ schema: node.Schema ?? '', name }] : []
  return [...own, ...below.flatMap(wholeReads)]
}

/** An AND reads no more than its narrowest part, an OR all of them. */
function readsWholeIndex(node: Node): boolean {
  const below = node.Plans ?? []
  if (node['Node Type'] === 'BitmapAnd') return below.every(readsWholeIndex)
  if (node['Node Type'] === 'BitmapOr') return below.some(readsWholeIndex)
  return node['Node Type'] === 'Bitmap Index Scan' && node['Index Cond'] === undefined
}

interface Relation {
  readonly oid: number
  readonly sql: string
}

/** Those of the named relations that are the table or partitions of it, and the pages they have together. */
async function sizes(
  sql: Sql,
  table: QualifiedName,
  names: readonly Name[],
): Promise<{ pages: number; relations: Relation[] }> {
  const answer = await sql<{ pages: number; relations: Relation[] | null }[]>`
    select /* sti */ (coalesce(sum(pg_relation_size(c.oid)), 0) / current_setting('block_size')::int)::float8 as pages,
      jsonb_agg(jsonb_build_object('oid', c.oid::int8, 'sql', format('%I.%I', n.nspname, c.relname)) order by c.oid) as relations
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where (n.nspname, c.relname) in (
        select name->>'schema', name->>'name' from jsonb_array_elements(${sql.json([...names] as never)}::jsonb) as name)
      and (c.oid = to_regclass(${table.sql})
        or c.oid in (select relid from pg_partition_tree(to_regclass(${table.sql}))))`
  const { pages, relations } = onlyRow(answer)
  return { pages, relations: relations ?? [] }
}

interface Found {
  readonly valid: string | null
  readonly invalid: string | null
  readonly off: readonly string[] | null
  readonly method: string
}

const SETTINGS = {
  key: ['enable_indexscan', 'enable_bitmapscan', 'enable_indexonlyscan'],
  place: ['enable_tidscan'],
} as const

/** What is missing, and what to do about it. */
async function adviceOf(sql: Sql, { by }: Planned, relations: readonly Relation[]): Promise<string> {
  const [first] = relations
  if (first === undefined) return 'look at its plan.'
  const columns = by === BY_PLACE ? [] : by.map((column) => column.name)
  const settings = SETTINGS[by === BY_PLACE ? 'place' : 'key']
  const answer = await sql<Found[]>`
    with key as (
      select array(select jsonb_array_elements_text(${sql.json(columns)}::jsonb)) as names
    ), candidate as (
      select format('%I.%I', n.nspname, c.relname) as name, i.indisvalid as valid
      from key, pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_am am on am.oid = c.relam
      where i.indrelid = ${first.oid}::oid and am.amname = 'btree' and i.indpred is null and cardinality(key.names) > 0
        and array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k (attnum, place)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
          where k.place <= cardinality(key.names) order by k.place) = key.names
    )
    select /* sti */ (select min(name) from candidate where valid) as valid,
      (select min(name) from candidate where not valid) as invalid,
      (select jsonb_agg(name order by name) from pg_settings where setting = 'off'
        and name in (select jsonb_array_elements_text(${sql.json([...settings])}::jsonb))) as off,
      coalesce((select amname from pg_am join pg_class c on c.relam = pg_am.oid where c.oid = ${first.oid}::oid), '') as method`
  const { valid, invalid, off, method } = onlyRow(answer)
  const key = by === BY_PLACE ? '' : by.map((column) => column.sql).join(', ')
  if (by !== BY_PLACE && valid === null) {
    return invalid === null
      ? `it has no index on its key (${key}). CREATE UNIQUE INDEX CONCURRENTLY ON ${first.sql} (${key}), then start again.`
      : `its index ${invalid} on the key (${key}) is invalid. REINDEX INDEX CONCURRENTLY ${invalid}, then start again.`
  }
  if (off !== null) {
    const what =
      by === BY_PLACE ? 'TID range scans are switched off' : `the index ${valid} on the key (${key}) is not used`
    return `${what}, since ${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off for the agent. ALTER ROLE … or DATABASE … SET ${off[0]} = on, then start again.`
  }
  return by === BY_PLACE
    ? `its access method ${method} offers no TID range scan. Report this plan.`
    : `the index ${valid} on the key (${key}) is not used, probably because the statistics are old. ANALYZE ${first.sql}, then start again.`
}
