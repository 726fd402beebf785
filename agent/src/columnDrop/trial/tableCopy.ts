import { distributeLikeSql } from '../../citus/distributeLike.ts'
import type { CitusTable } from '../../citus/readCitusTable.ts'
import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { quoteLiteral, quoteIdentifier } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'

/** The schema that holds the copy. */
const trialSchema = (operationId: bigint): string => `sti_trial_${operationId}`

/** The rollout for the copy, with its own name and table. Citus does not quote a name that needs it in a REVOKE. */
export function trialRollout(rollout: Rollout, operationId: bigint): Rollout {
  const schema = trialSchema(operationId)
  return {
    ...rollout,
    name: `trial_${operationId}`,
    table: {
      schema,
      name: rollout.table.name,
      sql: `${quoteIdentifier(schema)}.${quoteIdentifier(rollout.table.name)}`,
    },
  }
}

interface CopyPlan {
  /** The rollout of the copy. */
  readonly rollout: Rollout
  /** The statements that create the copy, in order. */
  readonly statements: readonly string[]
  /** Dependents of the columns that the copy lacks, one sentence each. */
  readonly leftOut: readonly string[]
}

interface CopiedRelation {
  readonly sql: string
  readonly name: string
  readonly parent: string | null
  readonly bound: string | null
  readonly key: string | null
}

/**
 * Plans a copy of the table's structure in a separate schema, with all partitions: columns, defaults, constraints,
 * indexes, statistics objects, comments, and column privileges. Tables that foreign keys of the legacy columns
 * reference are created with the referenced rows. The application's triggers and policies are omitted, since they
 * could have side effects.
 */
export async function planCopy(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  catalog: LegacyCatalog,
  copy: Rollout,
): Promise<CopyPlan> {
  const relations = await readCopiedRelations(sql, table)
  const schema = quoteIdentifier(copy.table.schema)
  // Partitions in different schemas may have the same name.
  const names = new Map(
    relations.map((relation, n) => [
      relation.sql,
      n === 0 ? copy.table.sql : `${schema}.${quoteIdentifier(`${n}_${relation.name}`.slice(0, 40))}`,
    ]),
  )
  const tables = relations.map((relation) => {
    const name = names.get(relation.sql)!
    const partitions = relation.key === null ? '' : ` partition by ${relation.key}`
    return relation.parent === null
      ? `create table ${name} (like ${relation.sql} including all)${partitions}`
      : `create table ${name} partition of ${names.get(relation.parent)!} ${relation.bound!}${partitions}`
  })
  const grants = catalog.relations.flatMap((relation) =>
    relation.columns.flatMap((column) =>
      column.grants.map((grant) => grant.replace(` on ${relation.sql} to `, ` on ${names.get(relation.sql)!} to `)),
    ),
  )
  const foreignKeyStatements = await copyForeignKeys(sql, rollout, table, copy)
  return {
    rollout: copy,
    statements: [
      `create schema ${schema}`,
      ...tables,
      ...(table.citus === null
        ? []
        : [distributeLikeSql(table.citus, copy.table.sql, colocation(rollout, table.citus))]),
      ...grants,
      ...foreignKeyStatements.before,
    ],
    leftOut: [
      ...(table.triggers.some((trigger) => !trigger.internal && !trigger.name.startsWith('~sti_'))
        ? ['The copy lacks the application’s triggers, which could have side effects.']
        : []),
    ],
  }
}

/** The copy is on the nodes of the table; that of a table of a schema is in no such schema, so Citus chooses its node. */
const colocation = (rollout: Rollout, { type }: CitusTable): string => (type === 'schema' ? 'none' : rollout.table.sql)

/** A table in shards can reference a table only if each node has it. */
function distributeReferenced({ citus }: Table, referenced: string): string[] {
  if (citus === null) return []
  return [
    citus.type === 'local'
      ? `select pg_catalog.citus_add_local_table_to_metadata(${quoteLiteral(referenced)})`
      : `select pg_catalog.create_reference_table(${quoteLiteral(referenced)})`,
  ]
}

/** Adds the foreign keys of the legacy columns after the sample is copied. */
export async function copyForeignKeys(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  copy: Rollout,
): Promise<{ before: string[]; after: string[] }> {
  const columns = JSON.stringify(rollout.legacyColumns)
  const keys = await sql.unsafe<LegacyForeignKey[]>(
    `select /* sti */ k.conname as name, pg_get_constraintdef(k.oid) as definition, format('%I.%I', n.nspname, c.relname) as referenced,
       (select jsonb_agg(quote_ident(a.attname) order by o.n) from unnest(k.conkey) with ordinality o (number, n)
         join pg_attribute a on a.attrelid = k.conrelid and a.attnum = o.number) as own,
       (select jsonb_agg(quote_ident(a.attname) order by o.n) from unnest(k.confkey) with ordinality o (number, n)
         join pg_attribute a on a.attrelid = k.confrelid and a.attnum = o.number) as other
     from pg_constraint k join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
     where k.conrelid = $1::text::oid and k.contype = 'f' and k.conparentid = 0
       and exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey)
         and a.attname in (select jsonb_array_elements_text($2::text::jsonb)))
     order by k.oid`,
    [String(table.oid), columns],
  )
  const statements = keys.map((key, n) => {
    const stub = `${quoteIdentifier(copy.table.schema)}.${quoteIdentifier(`~referenced_${n}`)}`
    return {
      before: [
        `create table ${stub} as select ${key.other.join(', ')} from ${key.referenced} with no data`,
        `alter table ${stub} add unique (${key.other.join(', ')})`,
        ...distributeReferenced(table, stub),
      ],
      after: [
        `insert into ${stub} select distinct ${key.own.join(', ')} from ${copy.table.sql} where ${key.own.map((own) => `${own} is not null`).join(' and ')}`,
        `alter table ${copy.table.sql} add constraint ${quoteIdentifier(key.name)} ${key.definition.replace(`REFERENCES ${key.referenced}(`, `REFERENCES ${stub}(`)}`,
      ],
    }
  })
  return {
    before: statements.flatMap((statement) => statement.before),
    after: statements.flatMap((statement) => statement.after),
  }
}

interface LegacyForeignKey {
  readonly name: string
  readonly definition: string
  readonly referenced: string
  readonly own: readonly string[]
  readonly other: readonly string[]
}

async function readCopiedRelations(sql: Sql, table: Table): Promise<CopiedRelation[]> {
  return await sql.unsafe<CopiedRelation[]>(
    `select /* sti */ format('%I.%I', n.nspname, c.relname) as sql, c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound,
       case c.relkind when 'p' then pg_get_partkeydef(c.oid) end as key,
       (select format('%I.%I', pn.nspname, p.relname) from pg_inherits i join pg_class p on p.oid = i.inhparent
         join pg_namespace pn on pn.oid = p.relnamespace where i.inhrelid = c.oid and tree.level > 0) as parent
     from (select $1::text::oid as oid, 0 as level union select relid, level from pg_partition_tree($1::text::oid::regclass)) tree
     join pg_class c on c.oid = tree.oid join pg_namespace n on n.oid = c.relnamespace
     order by tree.level, c.oid`,
    [String(table.oid)],
  )
}

const LARGE_TABLE_ROWS = 100_000

/**
 * Copies rows from the whole table, on Citus the first ones of each shard, including some of each type in the rollout file, and
 * returns their number. PostgreSQL computes generated columns.
 */
export async function fillCopy(sql: Sql, rollout: Rollout, table: Table, copy: Rollout, rows: number): Promise<number> {
  const columns = table.columns.filter((column) => !column.generated).map((column) => column.sql)
  const list = columns.join(', ')
  const estimated = table.estimatedRows ?? 0
  // TABLESAMPLE SYSTEM reads only the sampled pages. In a small table, those could be too few. Citus stops at the limit in each
  // shard.
  const sample =
    table.citus !== null || estimated < LARGE_TABLE_ROWS || estimated < 2 * rows
      ? ''
      : ` tablesample system (${(rows * 150) / estimated})`
  await sql.unsafe(
    `insert into ${copy.table.sql} (${list}) overriding system value select ${list} from ${rollout.table.sql}${sample} limit ${rows}`,
  )
  for (const type of rollout.types) {
    const { sql: column, dataType } = rollout.discriminator
    await sql.unsafe(
      `insert into ${copy.table.sql} (${list}) overriding system value
       select ${list} from ${rollout.table.sql} where ${column} = ${quoteLiteral(type)}::${dataType} limit 10
       on conflict (${table.key.map((column) => column.sql).join(', ')}) do nothing`,
    )
  }
  const answer = await sql.unsafe<{ rows: number }[]>(`select count(*)::int as rows from ${copy.table.sql}`)
  return onlyRow(answer).rows
}
