import type { Sql } from '../database/connect.ts'
import type { QualifiedName } from '../rollout/identifiers.ts'
import type { KeyColumn } from '../rollout/rollout.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { formatQuantity } from '../format/format.ts'
import { CTID_KEY } from './ctid.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'

/** The statement of one batch. */
export interface PlannedStatement {
  /** The application's table, including its partitions. */
  readonly table: QualifiedName
  readonly statement: string
  readonly values: readonly (string | null)[]
  /** Columns of the key that selects the rows of the batch, or CTID_KEY. */
  readonly keyColumns: readonly KeyColumn[]
  /** Share of the table in this batch: 0 to 1. A large share may read the whole table. */
  readonly tableShare?: number
}

/** A full scan of fewer pages is accepted. */
const MAX_FULL_SCAN_PAGES = 1_000
const LARGE_TABLE_SHARE = 0.1

/**
 * Refuses a statement whose plan reads the whole table, or whole partitions, for one batch. EXPLAIN plans with the values
 * bound and executes nothing. The batch must have both bounds: without a lower bound, PostgreSQL may estimate a third of
 * all rows on a table that was never analyzed.
 * @throws OperationFailedError `plan`, with the cause and the remedy
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
    `Each batch would read all of ${scanned.relations.map((relation) => relation.sql).join(', ')} (${formatQuantity(scanned.pages, 'page')}): ${advice}`,
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

/** Relations that a plan reads completely: by a sequential scan, or by an index without a condition. */
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

/** An AND reads no more than its narrowest input; an OR reads all of them. */
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

/** The named relations that are the table or its partitions, and their total pages. */
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
  readonly method: string
}

/** Says what is missing and what to do. */
async function describeRemedy(
  sql: Sql,
  { keyColumns }: PlannedStatement,
  relations: readonly ScannedRelation[],
): Promise<string> {
  const [first] = relations
  if (first === undefined) return 'read the query plan of the statement.'
  const columns = keyColumns === CTID_KEY ? [] : keyColumns.map((column) => column.name)
  const result = await sql<IndexDiagnosis[]>`
    with key as (
      select array(select jsonb_array_elements_text(${sql.json(columns)}::jsonb)) as names
    ), candidate as (
      select format('%I.%I', n.nspname, c.relname) as name, i.indisvalid as valid
      from key, pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_am am on am.oid = c.relam
      where i.indrelid = ${first.oid}::oid and am.amname = 'btree' and i.indpred is null and cardinality(key.names) > 0
        and array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality k (attnum, number)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
          where k.number <= cardinality(key.names) order by k.number) = key.names
    )
    select /* sti */ (select min(name) from candidate where valid) as valid,
      (select min(name) from candidate where not valid) as invalid,
      coalesce((select amname from pg_am join pg_class c on c.relam = pg_am.oid where c.oid = ${first.oid}::oid), '') as method`
  const { valid, invalid, method } = onlyRow(result)
  const key = keyColumns === CTID_KEY ? '' : keyColumns.map((column) => column.sql).join(', ')
  if (keyColumns !== CTID_KEY && valid === null) {
    return invalid === null
      ? `it has no index on its key (${key}). Run CREATE UNIQUE INDEX CONCURRENTLY ON ${first.sql} (${key}), then start again.`
      : `its index ${invalid} on the key (${key}) is invalid. Run REINDEX INDEX CONCURRENTLY ${invalid}, then start again.`
  }
  return keyColumns === CTID_KEY
    ? `its access method ${method} does not support TID range scans. Report this plan as a bug.`
    : `the index ${valid} on the key (${key}) is not used, probably because the statistics are outdated. Run ANALYZE ${first.sql}, then start again.`
}
