import type { Sql } from '../../database/connect.ts'
import { formatQuantity } from '../../format/format.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import type { Key } from '../../engine/keys.ts'
import { quoteIdentifier } from '../../rollout/identifiers.ts'
import type { ValidationCheck } from '../check.ts'

interface CheckedForeignKey {
  readonly name: string
  readonly parent: string
  readonly readable: boolean
  readonly columns: { own: string; other: string }[]
  /** The relations that contain the referencing rows. */
  readonly children: { sql: string; blocks: number }[]
}

/** About 64 MiB, so that each snapshot is short. */
const BLOCKS_PER_QUERY = 8_192
const MAX_SAMPLE_KEYS = 10

/**
 * Every row satisfies the foreign keys of the table and those that reference it. Writes with session_replication_role =
 * replica or with disabled triggers can leave orphans while PostgreSQL still considers the constraint valid.
 */
export const foreignKeys: ValidationCheck = {
  name: 'foreign-keys',
  layer: 'integrity',
  unit: 'count',
  seconds: 600,
  async run({ sql, table, run }) {
    const keys = await readForeignKeys(sql, table.oid)
    const unreadable = keys.filter((key) => !key.readable)
    if (unreadable.length > 0) {
      const names = unreadable.map((key) => key.name).join(', ')
      const detail = `the agent may not read the tables of ${names}: grant its role SELECT on them`
      return { verdict: 'inconclusive', value: null, limit: 0, detail }
    }
    const violations: string[] = []
    const samples: Key[] = []
    let rows = 0
    for (const key of keys) {
      let orphanRows = 0
      for (const child of key.children) {
        for (let low = 0; low < child.blocks && run.directive() === 'continue'; low += BLOCKS_PER_QUERY) {
          const result = await findOrphans(sql, key, child.sql, low)
          orphanRows += result.rows
          samples.push(...result.keys.slice(0, MAX_SAMPLE_KEYS - samples.length))
        }
      }
      rows += orphanRows
      if (orphanRows > 0)
        violations.push(
          `${formatQuantity(orphanRows, 'row')} of ${key.name} reference${orphanRows === 1 ? 's' : ''} a missing row of ${key.parent} (limit 0)`,
        )
    }
    return {
      verdict: rows === 0 ? 'pass' : 'fail',
      value: rows,
      limit: 0,
      discrepancies: rows,
      sampleKeys: samples,
      detail:
        rows > 0
          ? violations.join('; ')
          : keys.length === 0
            ? 'the table has no foreign keys, and none reference it'
            : `every reference resolves: ${keys.map((key) => key.name).join(', ')}`,
      ...(keys[0] ? { query: orphanSql(keys[0], keys[0].children[0]?.sql ?? '…') } : {}),
    }
  },
}

function orphanSql(key: CheckedForeignKey, child: string): string {
  const notNullCondition = key.columns.map(({ own }) => `c.${quoteIdentifier(own)} is not null`).join(' and ')
  const matchCondition = key.columns
    .map(({ own, other }) => `p.${quoteIdentifier(other)} = c.${quoteIdentifier(own)}`)
    .join(' and ')
  const keyExpressions = key.columns.map(({ own }) => `c.${quoteIdentifier(own)}::text`).join(', ')
  return `with /* sti */ orphan as materialized (select jsonb_build_array(${keyExpressions}) as key from ${child} as c
      where c.ctid >= $1::text::tid and c.ctid < $2::text::tid and ${notNullCondition} and not exists (select from ${key.parent} as p where ${matchCondition}))
    select count(*)::int as rows, coalesce((select jsonb_agg(key) from (select key from orphan limit ${MAX_SAMPLE_KEYS}) s), '[]') as keys from orphan`
}

async function findOrphans(
  sql: Sql,
  key: CheckedForeignKey,
  child: string,
  low: number,
): Promise<{ rows: number; keys: Key[] }> {
  return onlyRow(
    await sql.unsafe<{ rows: number; keys: Key[] }[]>(
      orphanSql(key, child),
      [`(${low},0)`, `(${low + BLOCKS_PER_QUERY},0)`],
      {
        prepare: true,
      },
    ),
  )
}

async function readForeignKeys(sql: Sql, oid: number): Promise<CheckedForeignKey[]> {
  const rows = await sql<CheckedForeignKey[]>`
    select quote_ident(c.conname) as name, c.confrelid::regclass::text as parent,
      has_table_privilege(c.conrelid, 'select') and has_table_privilege(c.confrelid, 'select') as readable,
      (select jsonb_agg(jsonb_build_object('own', a.attname, 'other', b.attname) order by k.place)
        from unnest(c.conkey, c.confkey) with ordinality as k (own, other, place)
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.own
        join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.other) as columns,
      (select coalesce(jsonb_agg(jsonb_build_object('sql', r.oid::regclass::text,
          'blocks', pg_relation_size(r.oid) / current_setting('block_size')::int)), '[]')
        from pg_class r where r.relkind = 'r'
          and (r.oid = c.conrelid or r.oid in (select relid from pg_partition_tree(c.conrelid)))) as children
    from pg_constraint c
    where c.contype = 'f' and c.conparentid = 0 and (c.conrelid = ${oid}::oid or c.confrelid = ${oid}::oid)
      -- A foreign key over periods (PostgreSQL 18) has operators of its own.
      and not coalesce((to_jsonb(c)->>'conperiod')::boolean, false)
    order by c.conname`
  return [...rows]
}
