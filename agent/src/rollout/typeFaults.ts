import type { Sql } from '../database/connect.ts'
import { quoteLiteral } from './identifiers.ts'
import { DRY_RUN_TABLE, dryRun, dryRunOnEmptyCopy } from './dryRun.ts'
import type { Rollout, Table } from './rollout.ts'

/** Checks that the discriminator's data type exists, can be added without a table rewrite, and can hold every type name. */
export async function typeFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const { dataType, column } = rollout.discriminator
  const place = rollout.locate(['discriminator', 'dataType'])
  const result = await dryRunOnEmptyCopy(
    sql,
    rollout,
    table,
    [],
    [
      `alter table pg_temp.${DRY_RUN_TABLE} add column "~sti_type" ${dataType}`,
      `with recursive chain (oid) as (
       select a.atttypid from pg_attribute a where a.attrelid = 'pg_temp.${DRY_RUN_TABLE}'::regclass and a.attname = '~sti_type'
       union all select t.typbasetype from chain join pg_type t on t.oid = chain.oid where t.typtype = 'd'
     )
     select format('%I.%I', n.nspname, t.typname) as name, format_type(d.atttypid, d.atttypmod) as existing,
       d.attnum is null or (d.atttypid, d.atttypmod) = (a.atttypid, a.atttypmod) as same,
       exists (select from chain join pg_type t on t.oid = chain.oid where t.typtype = 'd' and (t.typnotnull or t.typdefault is not null))
         or exists (select from chain join pg_constraint c on c.contypid = chain.oid) as constrained,
       (select jsonb_agg(e.enumlabel) from chain join pg_enum e on e.enumtypid = chain.oid) as labels
     from pg_attribute a
     join pg_type t on t.oid = a.atttypid
     join pg_namespace n on n.oid = t.typnamespace
     left join pg_attribute d on d.attrelid = ${table.oid} and d.attname = ${quoteLiteral(column)} and not d.attisdropped
     where a.attrelid = 'pg_temp.${DRY_RUN_TABLE}'::regclass and a.attname = '~sti_type'`,
    ],
  )
  if ('refused' in result) {
    return [`Cannot use the data type ${dataType}: ${result.refused}. Create it or choose another (${place}).`]
  }
  const type = result.rows[0] as unknown as {
    name: string
    existing: string
    same: boolean
    constrained: boolean
    labels: string[] | null
  }
  if (type.constrained) {
    return [
      `Domain ${type.name} has a constraint or a default, and adding such a column rewrites the table. Use its base type and constraint: check (${place}).`,
    ]
  }
  if (!type.same) {
    return [
      `Column ${column} already exists with type ${type.existing}. Set dataType to that, or choose another column (${place}).`,
    ]
  }
  const missing = type.labels === null ? [] : rollout.types.filter((name) => !type.labels!.includes(name))
  if (missing.length > 0) {
    const statements = missing.map((name) => `ALTER TYPE ${type.name} ADD VALUE ${quoteLiteral(name)}`).join('; ')
    return [`Enum ${type.name} has no label ${missing.join(', ')}. Run ${statements} (${place}).`]
  }
  return typeNameFaults(sql, rollout)
}

/** A data type such as varchar(3) would truncate names silently. */
async function typeNameFaults(sql: Sql, rollout: Rollout): Promise<string[]> {
  const { dataType } = rollout.discriminator
  const columns = rollout.types.map((name, i) => `(${quoteLiteral(name)}::${dataType})::text as "${i}"`)
  const result = await dryRun(sql, [`select ${columns.join(', ')}`])
  const place = rollout.locate(['discriminator', 'dataType'])
  if ('refused' in result)
    return [`The type names are not values of ${dataType}: ${result.refused}. Choose another dataType (${place}).`]
  return rollout.types.flatMap((name, i) => {
    const stored = result.rows[0]?.[String(i)]
    return stored === name
      ? []
      : [`${dataType} stores ${name} as ${String(stored)}. Choose a larger dataType (${place}).`]
  })
}
