import type { Sql } from '../database/connect.ts'
import type { KeyColumn, QualifiedName } from '../rollout/rollout.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { CTID_KEY } from './ctid.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'

/** A statement of one batch, as it is about to be run. */
export interface PlannedStatement {
  /** The user's table; its partitions count as it. */
  readonly table: QualifiedName
  readonly statement: string
  readonly values: readonly (string | null)[]
  /** What the batch finds its rows by: the columns of the key, or BY_PLACE. */
  readonly keyColumns: readonly KeyColumn[]
  /** Of all rows, those of this batch: 0 to 1. One of a tenth of the table may well read all of it. */
  readonly tableShare?: number
}

/** Reading so few pages for a batch hurts nobody. */
const MAX_FULL_SCAN_PAGES = 1_000
const LARGE_TABLE_SHARE = 0.1

/**
 * Ask with a batch that has both its bounds: of one without a lower one PostgreSQL may believe, on a table that was
 * never analyzed, that it is a third of all rows.
 *
 * Refuses a statement whose plan reads the whole table, or whole partitions of it, for one batch. The plan is made
 * with the values bound, and nothing is run.
 * @throws OperationFailure `plan`, which names what is missing and what to do
 */
export async function rejectFullScan(sql: Sql, planned: PlannedStatement): Promise<void> {
  if ((planned.tableShare ?? 0) >= LARGE_TABLE_SHARE) return
  const explained = await sql.unsafe<{ 'QUERY PLAN': { Plan: PlanNode }[] }[]>(
    `explain /* sti */ (verbose, format json) ${planned.statement}`,
    [...planned.values],
  )
  const fullScans = findFullScans(onlyRow(explained)['QUERY PLAN'][0]!.Plan)
  if (fullScans.length === 0) return
  const scanned = await readScannedRelations(sql, planned.table, fullScans)
  if (scanned.pages < MAX_FULL_SCAN_PAGES) return
  const advice = await describeRemedy(sql, planned, scanned.relations)
  throw new OperationFailedError(
    'plan',
    `For each batch PostgreSQL would read all of ${scanned.relations.map((relation) => relation.sql).join(', ')} (${scanned.pages.toLocaleString('en')} pages): ${advice}`,
  )
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Schema?: string
  readonly 'Index Cond'?: string
  readonly Plans?: readonly PlanNode[]
}

interface RelationName {
  readonly schema: string
  readonly name: string
}

/** Relations that a plan reads from end to end: in order, or by an index without a condition on it. */
function findFullScans(node: PlanNode): RelationName[] {
  const children = node.Plans ?? []
  const type = node['Node Type']
  const bitmap = type === 'Bitmap Heap Scan' && children.some(isFullIndexScan)
  const byIndex = type === 'Index Scan' || type === 'Index Only Scan'
  const isFullScan = type === 'Seq Scan' || bitmap || (byIndex && node['Index Cond'] === undefined)
  const name = node['Relation Name']
  const ownScan = isFullScan && name !== undefined ? [{ schema: node.Schema ?? '', name }] : []
  return [...ownScan, ...children.flatMap(findFullScans)]
}

/** An AND reads no more than its narrowest part, an OR all of them. */
function isFullIndexScan(node: PlanNode): boolean {
  const children = node.Plans ?? []
  if (node['Node Type'] === 'BitmapAnd') return children.every(isFullIndexScan)
  if (node['Node Type'] === 'BitmapOr') return children.some(isFullIndexScan)
  return node['Node Type'] === 'Bitmap Index Scan' && node['Index Cond'] === undefined
}

interface ScannedRelation {
  readonly oid: number
  readonly sql: string
}

/** Those of the named relations that are the table or partitions of it, and the pages they have together. */
async function readScannedRelations(
  sql: Sql,
  table: QualifiedName,
  names: readonly RelationName[],
): Promise<{ pages: number; relations: ScannedRelation[] }> {
  const result = await sql<{ pages: number; relations: ScannedRelation[] | null }[]>`
    select /* sti */ (coalesce(sum(pg_relation_size(c.oid)), 0) / current_setting('block_size')::int)::float8 as pages,
      jsonb_agg(jsonb_build_object('oid', c.oid::int8, 'sql', format('%I.%I', n.nspname, c.relname)) order by c.oid) as relations
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where (n.nspname, c.relname) in (
        select name->>'schema', name->>'name' from jsonb_array_elements(${sql.json([...names] as never)}::jsonb) as name)
      and (c.oid = to_regclass(${table.sql})
        or c.oid in (select relid from pg_partition_tree(to_regclass(${table.sql}))))`
  const { pages, relations } = onlyRow(result)
  return { pages, relations: relations ?? [] }
}

interface IndexDiagnosis {
  readonly valid: string | null
  readonly invalid: string | null
  readonly off: readonly string[] | null
  readonly method: string
}

const PLANNER_SETTINGS = {
  key: ['enable_indexscan', 'enable_bitmapscan', 'enable_indexonlyscan'],
  place: ['enable_tidscan'],
} as const

/** What is missing, and what to do about it. */
async function describeRemedy(
  sql: Sql,
  { keyColumns }: PlannedStatement,
  relations: readonly ScannedRelation[],
): Promise<string> {
  const [first] = relations
  if (first === undefined) return 'look at its plan.'
  const columns = keyColumns === CTID_KEY ? [] : keyColumns.map((column) => column.name)
  const settings = PLANNER_SETTINGS[keyColumns === CTID_KEY ? 'place' : 'key']
  const result = await sql<IndexDiagnosis[]>`
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
  const { valid, invalid, off, method } = onlyRow(result)
  const key = keyColumns === CTID_KEY ? '' : keyColumns.map((column) => column.sql).join(', ')
  if (keyColumns !== CTID_KEY && valid === null) {
    return invalid === null
      ? `it has no index on its key (${key}). CREATE UNIQUE INDEX CONCURRENTLY ON ${first.sql} (${key}), then start again.`
      : `its index ${invalid} on the key (${key}) is invalid. REINDEX INDEX CONCURRENTLY ${invalid}, then start again.`
  }
  if (off !== null) {
    const cause =
      keyColumns === CTID_KEY
        ? 'TID range scans are switched off'
        : `the index ${valid} on the key (${key}) is not used`
    return `${cause}, since ${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off for the agent. ALTER ROLE … or DATABASE … SET ${off[0]} = on, then start again.`
  }
  return keyColumns === CTID_KEY
    ? `its access method ${method} offers no TID range scan. Report this plan.`
    : `the index ${valid} on the key (${key}) is not used, probably because the statistics are old. ANALYZE ${first.sql}, then start again.`
}
