import { literal, quote } from '../../rollout/names.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import type { LegacyCatalog, LegacyColumn, LegacyConstraint, LegacyRelation } from '../catalog/legacy.ts'
import { where } from './statements.ts'
import { collated, filled } from './filled.ts'

/** A partition that was dropped or detached since has nothing to be made again; one that came since has its parent's. */
function on(relation: LegacyRelation, statements: readonly string[]): string[] {
  if (statements.length === 0 || relation.parent === null) return [...statements]
  const there = `exists (select from pg_inherits where inhrelid = to_regclass(${literal(relation.sql)}) and inhparent = to_regclass(${literal(relation.parent)}))`
  return [where(there, statements)]
}

/** The columns, empty and without a default: PostgreSQL keeps no row busy with that. In the order that they had. */
export function addColumns(rollout: Rollout, { relations }: LegacyCatalog): string[] {
  const columns = relations[0]!.columns.map((column) => {
    return `add column if not exists ${column.sql} ${filled(column)}${collated(column)}`
  })
  return [`alter table ${rollout.table.sql} ${columns.join(', ')}`]
}

/** How values are stored; before there are any. */
export function storage({ relations }: LegacyCatalog): string[] {
  return relations.flatMap((relation) =>
    on(
      relation,
      relation.columns.flatMap((column) => [
        ...(column.storage === null ? [] : [`${altered(relation, column)} set storage ${column.storage}`]),
        ...(column.compression === null ? [] : [`${altered(relation, column)} set compression ${column.compression}`]),
      ]),
    ),
  )
}

/** The sequence that gives a column its values until it has its own: an identity makes that itself, and needs values first. */
export const counting = ({ sequence, identity, position }: LegacyColumn): string | null =>
  sequence === null ? null : identity === null ? sequence.sql : `pg_temp."~sti_${position}"`

export function sequences({ relations }: LegacyCatalog): string[] {
  return relations[0]!.columns.flatMap((column) => {
    const { sequence, identity } = column
    if (sequence === null) return []
    return identity === null
      ? [
          `create sequence if not exists ${sequence.sql} ${sequence.options}`,
          `alter sequence ${sequence.sql} owned by ${relations[0]!.sql}.${column.sql}`,
        ]
      : [`create temporary sequence if not exists "~sti_${column.position}" ${sequence.options}`]
  })
}

/** Domains, defaults, NOT NULL (of a server that has no constraint for it) and settings; the columns are filled now. */
export function properties({ relations, serverVersion }: LegacyCatalog): string[] {
  const root = relations[0]!
  return [
    ...root.columns
      .filter((column) => column.baseType !== null)
      .map(
        (column) =>
          `${altered(root, column, '')} type ${column.type}${collated(column)} using ${column.sql}::${column.type}`,
      ),
    ...relations.flatMap((relation) =>
      on(
        relation,
        relation.columns.flatMap((column) => [
          ...(column.default === null ? [] : [`${altered(relation, column)} set default ${column.default}`]),
          ...(column.notNull && serverVersion < 180_000 ? [`${altered(relation, column, '')} set not null`] : []),
          ...(column.statistics === null ? [] : [`${altered(relation, column)} set statistics ${column.statistics}`]),
          ...(column.options.length === 0 ? [] : [`${altered(relation, column)} set (${column.options.join(', ')})`]),
        ]),
      ),
    ),
  ]
}

/** The columns are NOT NULL now, which an identity has to be. Its next value follows the highest that was given. */
export function identities({ relations }: LegacyCatalog): string[] {
  const root = relations[0]!
  return root.columns.flatMap((column) => {
    const { sequence, identity } = column
    if (sequence === null) return []
    const isOne = `exists (select from pg_attribute where attrelid = to_regclass(${literal(root.sql)}) and attname = ${literal(column.name)} and attidentity <> '')`
    const named = `sequence name ${sequence.sql} ${sequence.options.replace(/^as \S+ /, '')}`
    return [
      ...(identity === null
        ? []
        : [
            where(`not ${isOne}`, [`${altered(root, column, '')} add generated ${identity} as identity (${named})`]),
            `drop sequence if exists ${counting(column)!}`,
          ]),
      follow(root.sql, column, sequence.sql, 'select'),
    ]
  })
}

/** Sets a sequence to the highest value there is. */
export const follow = (table: string, { sql }: LegacyColumn, sequence: string, verb: 'select' | 'perform'): string =>
  `${verb} setval(${literal(sequence)}, max(${sql})) from ${table} having max(${sql}) is not null`

export const notNulls = (catalog: LegacyCatalog): string[] => constraintsOf(catalog, (kind) => kind === 'not null')

export const constraints = (catalog: LegacyCatalog): string[] => [
  ...constraintsOf(catalog, (kind) => kind !== 'not null' && kind !== 'foreign key'),
  ...constraintsOf(catalog, (kind) => kind === 'foreign key'),
]

/** Partitions first: what is made for the whole table then takes theirs in. */
function constraintsOf(catalog: LegacyCatalog, wanted: (kind: LegacyConstraint['kind']) => boolean): string[] {
  return catalog.constraints
    .filter(({ kind }) => wanted(kind))
    .flatMap((constraint) => {
      const relation = relationOf(catalog, constraint.on)
      const name = quote(constraint.name)
      const missing = `not exists (select from pg_constraint where conrelid = to_regclass(${literal(constraint.on)}) and conname = ${literal(constraint.name)})`
      const { index } = constraint
      return on(relation, [
        where(missing, [`alter table ${constraint.on} add constraint ${name} ${constraint.definition}`]),
        ...(index === null || index.options.length === 0
          ? []
          : [`alter index ${index.sql} set (${index.options.join(', ')})`]),
        ...(index?.tablespace == null ? [] : [`alter index ${index.sql} set tablespace ${index.tablespace}`]),
        ...(index?.clustered ? [`alter table ${constraint.on} cluster on ${quote(constraint.name)}`] : []),
        ...(constraint.comment === null
          ? []
          : [`comment on constraint ${name} on ${constraint.on} is ${literal(constraint.comment)}`]),
      ])
    })
}

export function indexes(catalog: LegacyCatalog): string[] {
  return catalog.indexes
    .filter((index) => index.valid)
    .flatMap((index) =>
      on(relationOf(catalog, index.on), [
        index.definition.replace(/^CREATE (UNIQUE )?INDEX /, 'create $1index if not exists '),
        ...(index.tablespace === null ? [] : [`alter index ${index.sql} set tablespace ${index.tablespace}`]),
        ...index.statistics.map(
          ({ column, target }) => `alter index ${index.sql} alter column ${column} set statistics ${target}`,
        ),
        ...(index.clustered ? [`alter table ${index.on} cluster on ${quote(index.name)}`] : []),
        ...(index.comment === null ? [] : [`comment on index ${index.sql} is ${literal(index.comment)}`]),
      ]),
    )
}

export function statistics(catalog: LegacyCatalog): string[] {
  return catalog.statistics.flatMap((object) =>
    on(relationOf(catalog, object.on), [
      object.definition.replace(/^CREATE STATISTICS /, 'create statistics if not exists '),
      ...(object.target === null ? [] : [`alter statistics ${object.sql} set statistics ${object.target}`]),
      ...(object.comment === null ? [] : [`comment on statistics ${object.sql} is ${literal(object.comment)}`]),
    ]),
  )
}

export function commentsAndGrants({ relations }: LegacyCatalog): string[] {
  return relations.flatMap((relation) =>
    on(
      relation,
      relation.columns.flatMap((column) => [
        ...(column.comment === null
          ? []
          : [`comment on column ${relation.sql}.${column.sql} is ${literal(column.comment)}`]),
        ...column.grants,
        ...(relation.parent === null ? (column.sequence?.grants ?? []) : []),
      ]),
    ),
  )
}

const altered = (relation: LegacyRelation, column: LegacyColumn, only = 'only '): string =>
  `alter table ${only}${relation.sql} alter column ${column.sql}`

function relationOf(catalog: LegacyCatalog, sql: string): LegacyRelation {
  return catalog.relations.find((relation) => relation.sql === sql)!
}
