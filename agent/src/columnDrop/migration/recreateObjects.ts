import { quoteLiteral, quoteIdentifier } from '../../rollout/identifiers.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import {
  type LegacyCatalog,
  type LegacyColumn,
  type LegacyConstraint,
  type LegacyRelation,
  collateClause,
  columnType,
} from '../catalog/legacyCatalog.ts'
import { doIf } from './migrationScript.ts'

/**
 * Skips statements for a partition that was dropped or detached in the meantime. A newer partition inherits its
 * parent's objects.
 */
function ifStillPartition(relation: LegacyRelation, statements: readonly string[]): string[] {
  if (statements.length === 0 || relation.parent === null) return [...statements]
  const isPartition = `exists (select from pg_inherits where inhrelid = to_regclass(${quoteLiteral(relation.sql)}) and inhparent = to_regclass(${quoteLiteral(relation.parent)}))`
  return [doIf(isPartition, statements)]
}

/** Adds the columns in their original order, empty and without a default, which rewrites no row. */
export function addColumns(rollout: Rollout, { relations }: LegacyCatalog): string[] {
  const columns = relations[0]!.columns.map((column) => {
    return `add column if not exists ${column.sql} ${columnType(column)}${collateClause(column)}`
  })
  return [`alter table ${rollout.table.sql} ${columns.join(', ')}`]
}

/** Sets storage and compression before there are values. */
export function setStorage({ relations }: LegacyCatalog): string[] {
  return relations.flatMap((relation) =>
    ifStillPartition(
      relation,
      relation.columns.flatMap((column) => [
        ...(column.storage === null ? [] : [`${alterColumn(relation, column)} set storage ${column.storage}`]),
        ...(column.compression === null
          ? []
          : [`${alterColumn(relation, column)} set compression ${column.compression}`]),
      ]),
    ),
  )
}

/**
 * The sequence that fills a column at first. An identity column creates its own sequence later, and needs values
 * before that.
 */
export const valueSequence = ({ sequence, identity, position }: LegacyColumn): string | null =>
  sequence === null ? null : identity === null ? sequence.sql : `pg_temp."~sti_${position}"`

export function createSequences({ relations }: LegacyCatalog): string[] {
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

/**
 * Sets domains, defaults, NOT NULL (on servers that have no constraint for it), and column settings. The columns are
 * filled at this point.
 */
export function setColumnProperties({ relations, serverVersion }: LegacyCatalog): string[] {
  const root = relations[0]!
  return [
    ...root.columns
      .filter((column) => column.baseType !== null)
      .map(
        (column) =>
          `${alterColumn(root, column, '')} type ${column.type}${collateClause(column)} using ${column.sql}::${column.type}`,
      ),
    ...relations.flatMap((relation) =>
      ifStillPartition(
        relation,
        relation.columns.flatMap((column) => [
          ...(column.default === null ? [] : [`${alterColumn(relation, column)} set default ${column.default}`]),
          ...(column.notNull && serverVersion < 180_000 ? [`${alterColumn(relation, column, '')} set not null`] : []),
          ...(column.statistics === null
            ? []
            : [`${alterColumn(relation, column)} set statistics ${column.statistics}`]),
          ...(column.options.length === 0
            ? []
            : [`${alterColumn(relation, column)} set (${column.options.join(', ')})`]),
        ]),
      ),
    ),
  ]
}

/**
 * Adds the identities. The columns are NOT NULL at this point, which an identity requires. The next value follows the
 * highest existing one.
 */
export function addIdentities({ relations }: LegacyCatalog): string[] {
  const root = relations[0]!
  return root.columns.flatMap((column) => {
    const { sequence, identity } = column
    if (sequence === null) return []
    const isIdentity = `exists (select from pg_attribute where attrelid = to_regclass(${quoteLiteral(root.sql)}) and attname = ${quoteLiteral(column.name)} and attidentity <> '')`
    const sequenceOptions = `sequence name ${sequence.sql} ${sequence.options.replace(/^as \S+ /, '')}`
    return [
      ...(identity === null
        ? []
        : [
            doIf(`not ${isIdentity}`, [
              `${alterColumn(root, column, '')} add generated ${identity} as identity (${sequenceOptions})`,
            ]),
            `drop sequence if exists ${valueSequence(column)!}`,
          ]),
      setSequenceToMaximum(root.sql, column, sequence.sql, 'select'),
    ]
  })
}

/** Sets a sequence to the highest value in the column. */
export const setSequenceToMaximum = (
  table: string,
  { sql }: LegacyColumn,
  sequence: string,
  verb: 'select' | 'perform',
): string => `${verb} setval(${quoteLiteral(sequence)}, max(${sql})) from ${table} having max(${sql}) is not null`

export const addNotNulls = (catalog: LegacyCatalog): string[] =>
  addConstraintsOfKind(catalog, (kind) => kind === 'not null')

export const addConstraints = (catalog: LegacyCatalog): string[] => [
  ...addConstraintsOfKind(catalog, (kind) => kind !== 'not null' && kind !== 'foreign key'),
  ...addConstraintsOfKind(catalog, (kind) => kind === 'foreign key'),
]

/** Creates the objects of partitions first: those of the whole table then attach them. */
function addConstraintsOfKind(
  catalog: LegacyCatalog,
  matchesKind: (kind: LegacyConstraint['kind']) => boolean,
): string[] {
  return catalog.constraints
    .filter(({ kind }) => matchesKind(kind))
    .flatMap((constraint) => {
      const relation = findRelation(catalog, constraint.on)
      const name = quoteIdentifier(constraint.name)
      const missing = `not exists (select from pg_constraint where conrelid = to_regclass(${quoteLiteral(constraint.on)}) and conname = ${quoteLiteral(constraint.name)})`
      const { index } = constraint
      return ifStillPartition(relation, [
        doIf(missing, [addConstraint(constraint)]),
        ...(index === null || index.options.length === 0
          ? []
          : [`alter index ${index.sql} set (${index.options.join(', ')})`]),
        ...(index?.tablespace == null ? [] : [`alter index ${index.sql} set tablespace ${index.tablespace}`]),
        ...(index?.clustered ? [`alter table ${constraint.on} cluster on ${quoteIdentifier(constraint.name)}`] : []),
        ...(constraint.comment === null
          ? []
          : [
              doIf(missing.replace(/^not /, ''), [
                `comment on constraint ${name} on ${constraint.on} is ${quoteLiteral(constraint.comment)}`,
              ]),
            ]),
      ])
    })
}

/**
 * Adds a constraint. While the column was gone, nothing kept referenced rows from being deleted: a foreign key that rows
 * violate is added as NOT VALID, since the undo must not depend on it. It then applies to new values.
 */
function addConstraint({ kind, on, name, definition }: LegacyConstraint): string {
  const add = `alter table ${on} add constraint ${quoteIdentifier(name)} ${definition}`
  if (kind !== 'foreign key' || /NOT (VALID|ENFORCED)$/.test(definition)) return add
  const validate = `alter table ${on} validate constraint ${quoteIdentifier(name)}`
  const warn = (what: string, next: string): string =>
    `raise warning '%', ${quoteLiteral(`foreign key ${quoteIdentifier(name)} of ${on} is ${what}: rows reference rows that were deleted after the drop. Correct them, then run: ${next}`)};`
  return [
    `begin ${add};`,
    'exception when foreign_key_violation then',
    // Before PostgreSQL 18, a partitioned table has no foreign key that is not valid.
    `begin ${add} not valid; ${warn('NOT VALID', validate)}`,
    `exception when feature_not_supported or wrong_object_type then ${warn('not restored', add)}`,
    'end;',
    'end',
  ].join('\n')
}

export function createIndexes(catalog: LegacyCatalog): string[] {
  return catalog.indexes
    .filter((index) => index.valid)
    .flatMap((index) =>
      ifStillPartition(findRelation(catalog, index.on), [
        index.definition.replace(/^CREATE (UNIQUE )?INDEX /, 'create $1index if not exists '),
        ...(index.tablespace === null ? [] : [`alter index ${index.sql} set tablespace ${index.tablespace}`]),
        ...index.statistics.map(
          ({ column, target }) => `alter index ${index.sql} alter column ${column} set statistics ${target}`,
        ),
        ...(index.clustered ? [`alter table ${index.on} cluster on ${quoteIdentifier(index.name)}`] : []),
        ...(index.comment === null ? [] : [`comment on index ${index.sql} is ${quoteLiteral(index.comment)}`]),
      ]),
    )
}

export function createStatistics(catalog: LegacyCatalog): string[] {
  return catalog.statistics.flatMap((object) =>
    ifStillPartition(findRelation(catalog, object.on), [
      object.definition.replace(/^CREATE STATISTICS /, 'create statistics if not exists '),
      ...(object.target === null ? [] : [`alter statistics ${object.sql} set statistics ${object.target}`]),
      ...(object.comment === null ? [] : [`comment on statistics ${object.sql} is ${quoteLiteral(object.comment)}`]),
    ]),
  )
}

export function addCommentsAndGrants({ relations }: LegacyCatalog): string[] {
  return relations.flatMap((relation) =>
    ifStillPartition(
      relation,
      relation.columns.flatMap((column) => [
        ...(column.comment === null
          ? []
          : [`comment on column ${relation.sql}.${column.sql} is ${quoteLiteral(column.comment)}`]),
        ...column.grants,
        ...(relation.parent === null ? (column.sequence?.grants ?? []) : []),
      ]),
    ),
  )
}

const alterColumn = (relation: LegacyRelation, column: LegacyColumn, only = 'only '): string =>
  `alter table ${only}${relation.sql} alter column ${column.sql}`

function findRelation(catalog: LegacyCatalog, sql: string): LegacyRelation {
  return catalog.relations.find((relation) => relation.sql === sql)!
}
