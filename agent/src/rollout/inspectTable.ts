import { wrongCitusNode, type CitusTableNames } from '../citus/citusFaults.ts'
import { readCitusTable } from '../citus/readCitusTable.ts'
import { readShardLayout } from '../citus/readShardLayout.ts'
import type { Sql } from '../database/connect.ts'
import { quoteIdentifier, quoteLiteral, type QualifiedName } from './identifiers.ts'
import { trustedRolesCtes } from './outsideObjects.ts'
import type { Column, KeyColumn, Rollout, Table, Trigger } from './rollout.ts'

/** The table is not supported; the message says why and what to do. */
export class UnsupportedTableError extends Error {
  readonly code = 'table-fault'
}

/** What `inspectTable` needs of a rollout; a draft has no more. */
interface InspectedRollout extends Pick<Rollout, 'table' | 'path'> {
  readonly discriminator: Pick<Rollout['discriminator'], 'column'>
}

/**
 * Reads the table's catalog.
 *
 * @throws UnsupportedTableError: the table does not exist or is not supported
 */
export async function inspectTable(sql: Sql, rollout: InspectedRollout): Promise<Table> {
  const { schema, name, sql: table } = rollout.table
  const relation = await readRelation(sql, schema, name)
  if (!relation)
    throw new UnsupportedTableError(
      `${table} does not exist in this database. Create it, or correct "table" in ${rollout.path}.`,
    )
  const refusal = unsupportedReason(relation)
  if (refusal) throw new UnsupportedTableError(`${table} ${refusal}`)
  const citus = relation.citus ? await readCitusTable(sql, relation.oid) : null
  const wrongNode = citus === null ? null : wrongCitusNode(citus, citusTableNames(rollout.table))
  if (wrongNode !== null) throw new UnsupportedTableError(wrongNode)
  const [columns, key, triggers, details, triggerSearchPath] = await Promise.all([
    readColumns(sql, relation.oid),
    readKey(sql, relation.oid),
    readTriggers(sql, relation.oid),
    readTableDetails(sql, relation.oid),
    readTriggerSearchPath(sql, rollout.table),
  ])
  if (key.length === 0) {
    const reason = await missingKeyReason(sql, relation.oid)
    throw new UnsupportedTableError(`${table} ${reason}`)
  }
  return {
    oid: relation.oid,
    partitioned: relation.kind === 'p',
    key,
    columns,
    discriminator: columns.find((column) => column.name === rollout.discriminator.column) ?? null,
    triggers,
    ...details,
    ...(citus === null ? {} : await readShardSizes(sql, relation.oid)),
    triggerSearchPath,
    citus,
  }
}

/** The table itself is empty: its rows are in shards. */
async function readShardSizes(sql: Sql, oid: number): Promise<Pick<Table, 'estimatedRows' | 'bytes'>> {
  const shards = await readShardLayout(sql, oid)
  return { estimatedRows: shards?.rows ?? null, bytes: shards?.bytes ?? 0 }
}

/** The names for sentences about Citus. */
export function citusTableNames({ schema, sql: table }: QualifiedName): CitusTableNames {
  const quotedSchema = quoteIdentifier(schema)
  return { table, schema: quotedSchema, tableLiteral: quoteLiteral(table), schemaLiteral: quoteLiteral(quotedSchema) }
}

/**
 * The search path for the application's own triggers, which find names by the path of the session that fires them: the
 * table's schema and public. A schema where an untrusted role can create objects is left out, since that role could
 * replace what a trigger calls, and it would run with the agent's privileges.
 */
async function readTriggerSearchPath(sql: Sql, table: QualifiedName): Promise<string> {
  const schemas = [...new Set([table.schema, 'public'])]
  const rows = await sql.unsafe<{ name: string }[]>(
    `with ${trustedRolesCtes(table)}
      select n.nspname as name from pg_namespace n
      where n.nspname in (${schemas.map(quoteLiteral).join(', ')})
        and exists (select from trusted where trusted.oid = n.nspowner)
        and not exists (select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
          where a.privilege_type = 'CREATE' and not exists (select from trusted where trusted.oid = a.grantee))`,
  )
  const safe = schemas.filter((schema) => rows.some(({ name }) => name === schema))
  return ['pg_catalog', ...safe.map(quoteIdentifier), 'pg_temp'].join(', ')
}

interface RelationRow {
  readonly oid: number
  readonly kind: string
  readonly parent: string | null
  readonly partition: boolean
  readonly children: boolean
  readonly typed: boolean
  /** The database has the extension; whether the table is of it, only Citus knows. */
  readonly citus: boolean
}

async function readRelation(sql: Sql, schema: string, name: string): Promise<RelationRow | undefined> {
  const [relation] = await sql<RelationRow[]>`
    select /* sti */ c.oid::int8::float8 as oid, c.relkind::text as kind, c.relispartition as partition, c.reloftype <> 0 as typed,
      exists (select from pg_catalog.pg_extension where extname = 'citus') as citus,
      (select format('%I.%I', pn.nspname, p.relname) from pg_catalog.pg_inherits i
        join pg_catalog.pg_class p on p.oid = i.inhparent join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid limit 1) as parent,
      c.relkind <> 'p' and exists (select from pg_catalog.pg_inherits i where i.inhparent = c.oid) as children
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relname = ${name}`
  return relation
}

const RELATION_KINDS: Record<string, string> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
}

function unsupportedReason({ kind, parent, partition, children, typed }: RelationRow): string | null {
  if (kind !== 'r' && kind !== 'p') {
    return `is ${RELATION_KINDS[kind] ?? 'an index or a type'}. Specify the table that contains the rows, in its own database.`
  }
  if (partition) return `is a partition of ${parent}. Specify the partitioned table instead.`
  if (parent !== null)
    return `inherits from ${parent}. Tables in an INHERITS hierarchy are not supported. Detach the table (NO INHERIT), or use partitions.`
  if (children)
    return 'has child tables (INHERITS), whose rows would be changed too. Detach them (NO INHERIT), or use partitions.'
  if (typed) return 'is a table of a composite type, which accepts no new column. Detach it (ALTER TABLE … NOT OF).'
  return null
}

async function readColumns(sql: Sql, oid: number): Promise<Column[]> {
  const rows = await sql<(Omit<Column, 'sql' | 'identity'> & { identity: string })[]>`
    with recursive /* sti */ base (attnum, type) as (
      select attnum, atttypid from pg_catalog.pg_attribute where attrelid = ${oid} and attnum > 0 and not attisdropped
      union all
      select base.attnum, t.typbasetype from base join pg_catalog.pg_type t on t.oid = base.type where t.typtype = 'd'
    )
    select /* sti */ a.attnum::int as number, a.attname as name,
      -- format_type leaves out the schema of a type on the search path; a type of pg_catalog needs none.
      case when en.nspname <> 'pg_catalog' and pg_catalog.pg_type_is_visible(e.oid) then format('%I.', en.nspname) else '' end
        || pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
      case when bn.nspname = 'pg_catalog' then b.typname else format('"%s"."%s"',
        replace(bn.nspname, '"', '""'), replace(b.typname, '"', '""')) end as "baseType",
      case when b.typtype = 'e' then (select pg_catalog.to_jsonb(array_agg(enumlabel order by enumsortorder))
        from pg_catalog.pg_enum where enumtypid = b.oid) end as "enumLabels",
      a.attnotnull as "notNull", a.attgenerated <> '' as generated, a.attidentity::text as identity,
      pg_catalog.pg_get_expr(d.adbin, d.adrelid) as default
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    join pg_catalog.pg_type e on e.oid = case when t.typelem <> 0 and t.typlen = -1 then t.typelem else t.oid end
    join pg_catalog.pg_namespace en on en.oid = e.typnamespace
    join base on base.attnum = a.attnum
    join pg_catalog.pg_type b on b.oid = base.type and b.typtype <> 'd'
    join pg_catalog.pg_namespace bn on bn.oid = b.typnamespace
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = ${oid}
    order by a.attnum`
  return rows.map((row) => ({
    ...row,
    sql: quoteIdentifier(row.name),
    identity: row.identity === 'a' ? 'always' : row.identity === 'd' ? 'by default' : null,
  }))
}

/** The primary key, else the narrowest unique B-tree index over all rows and NOT NULL columns only. */
async function readKey(sql: Sql, oid: number): Promise<KeyColumn[]> {
  const rows = await sql<Omit<KeyColumn, 'sql'>[]>`
    select /* sti */ a.attname as name,
      case when n.nspname <> 'pg_catalog' and pg_catalog.pg_type_is_visible(t.oid) then format('%I.', n.nspname) else '' end
        || pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
      -- A type without a class of its own uses one of pg_catalog. Only superusers create operator classes.
      (with recursive base (type) as (
          select a.atttypid union all
          select d.typbasetype from base join pg_catalog.pg_type d on d.oid = base.type where d.typtype = 'd'
        ) select pg_catalog.jsonb_build_object('schema', format('%I', onsp.nspname), 'operandType', format('%I.%I', tnsp.nspname, operand.typname))
        from base
        join pg_catalog.pg_opclass class on class.opcintype = base.type and class.opcdefault
          and class.opcmethod = (select oid from pg_catalog.pg_am where amname = 'btree')
        join pg_catalog.pg_amop member on member.amopfamily = class.opcfamily and member.amopstrategy = 3
          and member.amoplefttype = class.opcintype and member.amoprighttype = class.opcintype
        join pg_catalog.pg_operator op on op.oid = member.amopopr
        join pg_catalog.pg_namespace onsp on onsp.oid = op.oprnamespace and onsp.nspname <> 'pg_catalog'
        join pg_catalog.pg_type operand on operand.oid = class.opcintype
        join pg_catalog.pg_namespace tnsp on tnsp.oid = operand.typnamespace) as operators
    from (
      select i.indexrelid, i.indkey, i.indnkeyatts
      from pg_catalog.pg_index i
      join pg_catalog.pg_class c on c.oid = i.indexrelid
      join pg_catalog.pg_am am on am.oid = c.relam
      where i.indrelid = ${oid} and i.indisunique and i.indisvalid and i.indimmediate and am.amname = 'btree'
        and i.indpred is null and i.indexprs is null
        and not exists (select from generate_series(0, i.indnkeyatts - 1) k join pg_catalog.pg_attribute a
          on a.attrelid = i.indrelid and a.attnum = i.indkey[k] where not a.attnotnull)
      order by i.indisprimary desc, i.indnkeyatts, i.indexrelid
      limit 1) i
    cross join generate_series(0, i.indnkeyatts - 1) k
    join pg_catalog.pg_attribute a on a.attrelid = ${oid} and a.attnum = i.indkey[k]
    join pg_catalog.pg_type t on t.oid = a.atttypid
    join pg_catalog.pg_namespace n on n.oid = t.typnamespace
    order by k`
  return rows.map((row) => ({ ...row, sql: quoteIdentifier(row.name) }))
}

/** A primary key that is deferrable or WITHOUT OVERLAPS cannot order batches, and a table has no room for a second one. */
async function missingKeyReason(sql: Sql, oid: number): Promise<string> {
  const [unusable] = await sql<{ name: string; index: string; deferrable: boolean }[]>`
    select /* sti */ k.conname as name, k.condeferrable as deferrable,
      pg_catalog.format('create unique index %son %I.%I (%s)', case when c.relkind = 'p' then '' else 'concurrently ' end,
        n.nspname, c.relname, (select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by o.n)
          from pg_catalog.unnest(k.conkey) with ordinality o (number, n)
          join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = o.number)) as index
    from pg_catalog.pg_constraint k
    join pg_catalog.pg_class c on c.oid = k.conrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where k.conrelid = ${oid} and k.contype = 'p'`
  if (unusable === undefined) return 'has no primary key and no unique index over NOT NULL columns. Add a primary key.'
  const { name, index, deferrable } = unusable
  const why = deferrable ? 'it is DEFERRABLE' : 'its index is not a B-tree'
  return `has a primary key, ${quoteIdentifier(name)}, that cannot order batches: ${why}. Add a unique index: ${index}.`
}

/** The triggers of the table, and those that exist only on its partitions. */
async function readTriggers(sql: Sql, oid: number): Promise<Trigger[]> {
  const rows = await sql<(Omit<Trigger, 'enabled'> & { enabled: string })[]>`
    with /* sti */ reader as materialized (
      select p.proname as name from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      -- 16384: the first object that initdb did not make. Its own 3,300 functions would take 40 ms at each reading.
      where p.oid >= 16384 and n.nspname <> 'sti' and strpos(coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), 'sti.engine') > 0
    )
    select t.tgname as name, format('%I.%I', n.nspname, c.relname) as on,
      case when t.tgtype & 64 <> 0 then 'instead of' when t.tgtype & 2 <> 0 then 'before' else 'after' end as timing,
      t.tgtype & 4 <> 0 as "onInsert", t.tgtype & 16 <> 0 as "onUpdate", t.tgtype & 8 <> 0 as "onDelete",
      t.tgtype & 32 <> 0 as "onTruncate", t.tgtype & 1 <> 0 as "forEachRow", t.tgenabled::text as enabled,
      (select pg_catalog.jsonb_agg(a.attname) from pg_catalog.pg_attribute a
        where a.attrelid = t.tgrelid and a.attnum = any (t.tgattr::int2[])) as "updateOf",
      format('%I.%I', fn.nspname, f.proname) as function,
      case when l.lanname not in ('c', 'internal') then strpos(f.prosrc, 'sti.engine') > 0
        or exists (select from reader where strpos(f.prosrc, reader.name) > 0) end as "readsEngineSetting",
      pg_catalog.md5(pg_catalog.pg_get_triggerdef(t.oid) || f.prosrc) as digest,
      t.tgname in ('~sti_derive', '~sti_complete', '~sti_move') as ours, t.tgisinternal as internal
    from pg_catalog.pg_trigger t
    join pg_catalog.pg_class c on c.oid = t.tgrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_proc f on f.oid = t.tgfoid
    join pg_catalog.pg_namespace fn on fn.oid = f.pronamespace
    join pg_catalog.pg_language l on l.oid = f.prolang
    where t.tgparentid = 0 and (t.tgrelid = ${oid} or t.tgrelid in (select relid from pg_catalog.pg_partition_tree(${oid}::oid::regclass)))
    order by t.tgrelid <> ${oid}, c.relname, t.tgname collate "C"`
  const states = { O: 'origin', A: 'always', R: 'replica', D: 'disabled' } as const
  return rows.map((row) => ({ ...row, enabled: states[row.enabled as keyof typeof states] }))
}

type TableDetails = Pick<
  Table,
  | 'partitions'
  | 'partitionKey'
  | 'updateRules'
  | 'secondaryIndexes'
  | 'constraints'
  | 'estimatedRows'
  | 'bytes'
  | 'attributes'
>

async function readTableDetails(sql: Sql, oid: number): Promise<TableDetails> {
  const [row] = await sql<TableDetails[]>`
    with /* sti */ tree as materialized (
      select relid as oid, isleaf from pg_catalog.pg_partition_tree(${oid}::oid::regclass)
      union select ${oid}::oid, true where not exists (select from pg_catalog.pg_partition_tree(${oid}::oid::regclass))
    ), leaf as materialized (
      select c.oid, c.reltuples, pg_catalog.pg_table_size(c.oid) as bytes, pg_catalog.pg_relation_size(c.oid) as heap,
        format('%I.%I', n.nspname, c.relname) as name
      from tree join pg_catalog.pg_class c on c.oid = tree.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where tree.isleaf and c.relkind in ('r', 'f')
    )
    select
      (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('oid', oid::int8, 'sql', name) order by name), '[]')
        from leaf where oid <> ${oid}) as partitions,
      (select coalesce(pg_catalog.jsonb_agg(distinct a.attname), '[]') from tree
        join pg_catalog.pg_partitioned_table p on p.partrelid = tree.oid
        join pg_catalog.pg_attribute a on a.attrelid = tree.oid and a.attnum > 0
        -- PostgreSQL makes each column of the key, also of an expression in it, depend on the whole table.
        where exists (select from pg_catalog.pg_depend d
          where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = tree.oid and d.objsubid = a.attnum
            and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = tree.oid and d.refobjsubid = 0)
      ) as "partitionKey",
      (select coalesce(pg_catalog.jsonb_agg(distinct r.rulename), '[]') from pg_catalog.pg_rewrite r
        where r.ev_class in (select oid from tree) and r.ev_type = '2') as "updateRules",
      (select coalesce(pg_catalog.jsonb_agg(pg_catalog.pg_get_indexdef(indexrelid) order by indexrelid), '[]')
        from pg_catalog.pg_index where indrelid = ${oid} and not indisprimary) as "secondaryIndexes",
      (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', conname,
          'definition', pg_catalog.pg_get_constraintdef(oid)) order by conname), '[]')
        from pg_catalog.pg_constraint where conrelid = ${oid} and contype in ('c', 'f', 'x')) as constraints,
      (select case when bool_or(reltuples < 0 and heap > 0) then null
        else coalesce(sum(greatest(reltuples, 0)), 0) end::float8 from leaf) as "estimatedRows",
      (select coalesce(sum(bytes), 0)::float8 from leaf) as bytes,
      (select max(c.relnatts)::int from tree join pg_catalog.pg_class c on c.oid = tree.oid) as attributes`
  return row!
}
