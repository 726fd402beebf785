import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import type { Key } from '../../engine/keys.ts'
import { quote } from '../../rollout/names.ts'
import type { Check } from '../check.ts'

interface ForeignKey {
  readonly name: string
  readonly parent: string
  readonly readable: boolean
  readonly columns: { own: string; other: string }[]
  /** The relations that hold the referring rows. */
  readonly children: { sql: string; blocks: number }[]
}

/** Some 64 MB: a short snapshot for each. */
const BLOCKS = 8_192
const SAMPLES = 10

/**
 * Every foreign key of the table, and every one that leads to it, holds on the rows themselves: whoever writes with
 * session_replication_role = replica or with triggers off leaves rows that refer to nothing, and PostgreSQL still
 * calls the constraint valid.
 */
export const foreignKeys: Check = {
  name: 'foreign-keys',
  layer: 'integrity',
  seconds: 600,
  async run({ sql, table, run }) {
    const keys = await foreignKeysOf(sql, table.oid)
    const unread = keys.filter((key) => !key.readable)
    if (unread.length > 0) {
      const names = unread.map((key) => key.name).join(', ')
      const detail = `the tables of ${names} may not be read by the agent: GRANT SELECT on them to its role`
      return { verdict: 'inconclusive', value: null, limit: 0, detail }
    }
    const broken: string[] = []
    const samples: Key[] = []
    let rows = 0
    for (const key of keys) {
      let own = 0
      for (const child of key.children) {
        for (let low = 0; low < child.blocks && run.asked() === 'go-on'; low += BLOCKS) {
          const found = await orphans(sql, key, child.sql, low)
          own += found.rows
          samples.push(...found.keys.slice(0, SAMPLES - samples.length))
        }
      }
      rows += own
      if (own > 0) broken.push(`${own} rows of ${key.name} refer to no row of ${key.parent}`)
    }
    return {
      verdict: rows === 0 ? 'pass' : 'fail',
      value: rows,
      limit: 0,
      discrepancies: rows,
      sampleKeys: samples,
      detail:
        rows > 0
          ? broken.join('; ')
          : keys.length === 0
            ? 'none leads from or to the table'
            : `every row refers to one that is there: ${keys.map((key) => key.name).join(', ')}`,
      ...(keys[0] ? { query: orphanQuery(keys[0], keys[0].children[0]?.sql ?? '…') } : {}),
    }
  },
}

function orphanQuery(key: ForeignKey, child: string): string {
  const filled = key.columns.map(({ own }) => `c.${quote(own)} is not null`).join(' and ')
  const matched = key.columns.map(({ own, other }) => `p.${quote(other)} = c.${quote(own)}`).join(' and ')
  const shown = key.columns.map(({ own }) => `c.${quote(own)}::text`).join(', ')
  return `with /* sti */ orphan as materialized (select jsonb_build_array(${shown}) as key from ${child} as c
      where c.ctid >= $1::text::tid and c.ctid < $2::text::tid and ${filled} and not exists (select from ${key.parent} as p where ${matched}))
    select count(*)::int as rows, coalesce((select jsonb_agg(key) from (select key from orphan limit ${SAMPLES}) s), '[]') as keys from orphan`
}

async function orphans(sql: Sql, key: ForeignKey, child: string, low: number): Promise<{ rows: number; keys: Key[] }> {
  return onlyRow(
    await sql.unsafe<{ rows: number; keys: Key[] }[]>(orphanQuery(key, child), [`(${low},0)`, `(${low + BLOCKS},0)`], {
      prepare: true,
    }),
  )
}

async function foreignKeysOf(sql: Sql, oid: number): Promise<ForeignKey[]> {
  const rows = await sql<ForeignKey[]>`
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
