import { isRestoreDecided } from '../../rollout/restoreValue.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { LegacyCatalog, LegacyColumn } from '../catalog/legacyCatalog.ts'
import { usesTableRewrite } from './restoreValues.ts'
import type { MigrationSource } from './migrationSource.ts'

/** Notes for the reviewer. */
export function migrationNotes({ rollout, table, catalog }: MigrationSource): string[] {
  const columns = catalog.relations[0]!.columns
  const objects = [...catalog.indexes, ...catalog.constraints, ...catalog.statistics].map((object) => object.name)
  const unique = [
    ...catalog.indexes.filter((index) => /^CREATE UNIQUE/.test(index.definition)),
    ...catalog.constraints.filter((constraint) => constraint.kind === 'unique' || constraint.kind === 'exclusion'),
  ].map((object) => object.name)
  const foreignKeys = catalog.constraints.filter(({ kind }) => kind === 'foreign key').map(({ name }) => name)
  return [
    `The drop takes an ACCESS EXCLUSIVE lock on ${[rollout.table.sql, ...catalog.alsoLocked].join(', ')} while it counts the rows of the table and the archive. Dropping the columns is then immediate. It waits up to 100 ms for the lock and makes up to 100 attempts.`,
    usesTableRewrite({ rollout, table, catalog })
      ? 'The undo holds that lock while it rewrites the table once, with every index. During that time it needs as much additional disk space as the table and its indexes.'
      : 'The undo holds that lock while it writes every row and recreates constraints and indexes.',
    ...(objects.length === 0 ? [] : [`The drop also removes ${objects.join(', ')}; the undo recreates them.`]),
    ...(columns.some((column) => column.position < columns.length)
      ? [
          'After the undo, the columns are the last of the table, so an INSERT without a column list assigns its values to different columns.',
        ]
      : ['After the undo, the columns are the last of the table, in their original order.']),
    ...(unique.length === 0
      ? []
      : [
          `Rows added after the drop all get the same restored values, so the undo can violate ${unique.join(', ')} and fail.`,
        ]),
    ...(foreignKeys.length === 0
      ? []
      : [
          `Between the drop and the undo, nothing keeps rows that the columns referenced from being deleted. If that happens, the undo adds ${foreignKeys.join(', ')} as NOT VALID, and a warning names the statement that validates it.`,
        ]),
    ...catalog.indexes
      .filter((index) => !index.valid)
      .map((index) => `Index ${index.name} is INVALID, and the undo does not recreate it.`),
    ...(rollout.typesWithoutRestore.length > 0
      ? [
          `The rollout file sets restore: none for ${rollout.typesWithoutRestore.join(', ')}, so changes to such a type by new code after the drop are not carried over to the legacy columns.`,
        ]
      : []),
    ...rowsWithoutWayBack(rollout),
    'Run ANALYZE on the table after the undo, since PostgreSQL has no statistics on the restored columns.',
    'A row that is deleted and inserted again with the same key after the drop is treated as the same row. A row whose key changes is treated as a new row.',
    'In a database without schema sti (a new development database), the table must be empty, and only the columns are dropped.',
  ]
}

/** Types whose new rows may not imply their type after the undo: their restore takes values from the row. */
function rowsWithoutWayBack(rollout: Rollout): string[] {
  const types = rollout.types.filter((type) => rollout.restoreValues(type) !== null && !isRestoreDecided(rollout, type))
  return types.length === 0
    ? []
    : [
        `restore of ${types.join(', ')} takes values from the row: a row that new code inserts after the drop, or changes to such a type, may not imply its type after the undo. Run sti validate then, which lists those rows.`,
      ]
}

/** The reasons why no working undo can be written, each with what to do. Empty if it can be written. */
export function migrationRefusals(rollout: Rollout, table: Table, catalog: LegacyCatalog): string[] {
  const columns = catalog.relations[0]?.columns ?? []
  if (columns.length === 0) return ['The legacy columns no longer exist.']
  return [
    ...(table.citus === null ? [] : shardRefusals(catalog)),
    ...columns.flatMap((column) => rewriteRefusals(catalog, column)),
    ...columns
      .filter((column) => column.notNull && column.default === null && column.identity === null)
      .flatMap((column) => missingValueRefusals(rollout, column)),
  ]
}

/** What Citus accepts for a plain table and refuses for one that it manages, so that the undo could not set it again. */
function shardRefusals({ relations, indexes, constraints }: LegacyCatalog): string[] {
  const refuse = (what: string, command: string, advice: string): string =>
    `${what}: Citus refuses ${command} on a table that it manages, so the undo could not set it again. ${advice}`
  return [
    ...relations[0]!.columns.flatMap((column) => [
      ...(column.identity === null
        ? []
        : [refuse(`Column ${column.sql} is an identity column`, 'ADD GENERATED … AS IDENTITY', 'Drop the identity.')]),
      ...(column.storage === null
        ? []
        : [refuse(`Column ${column.sql} has its own storage`, 'SET STORAGE', 'Set that of its type.')]),
      ...(column.statistics === null
        ? []
        : [refuse(`Column ${column.sql} has its own statistics target`, 'SET STATISTICS', 'Reset it to the default.')]),
      ...(column.options.length === 0
        ? []
        : [
            refuse(
              `Column ${column.sql} has the options ${column.options.join(', ')}`,
              'ALTER COLUMN … SET',
              'Reset them.',
            ),
          ]),
    ]),
    ...[
      ...indexes,
      ...constraints.flatMap(({ name, index }) => (index === null ? [] : [{ name, clustered: index.clustered }])),
    ]
      .filter(({ clustered }) => clustered)
      .map(({ name }) =>
        refuse(`The table is clustered on ${name}`, 'CLUSTER ON', 'Run ALTER TABLE … SET WITHOUT CLUSTER.'),
      ),
  ]
}

/** A domain with constraints is given to a column once it is filled, which PostgreSQL counts as a rewrite. */
function rewriteRefusals({ rowTypeUses }: LegacyCatalog, { sql, type, baseType }: LegacyColumn): string[] {
  if (baseType === null || rowTypeUses.length === 0) return []
  return [
    `Column ${sql} has the domain ${type} with constraints, and ${rowTypeUses.join(', ')} holds rows of the table: PostgreSQL would refuse to give the column its domain again. Change the column to ${baseType} with a CHECK constraint, or change what holds the rows to another type.`,
  ]
}

function missingValueRefusals(rollout: Rollout, column: LegacyColumn): string[] {
  const types = rollout.types.filter((type) => {
    const value = rollout.restoreValues(type)?.get(column.name)
    return value === undefined || value.kind === 'keep'
  })
  if (types.length > 0) {
    return [
      `Column ${column.sql} is NOT NULL and has no default, and restore of ${types.join(', ')} gives it no value: the undo could not restore a row that new code inserts after the drop. Set the column in restore, or give it a default.`,
    ]
  }
  if (!rollout.mayBeUnmapped || rollout.file.constraint === 'notNull') return []
  return [
    `Column ${column.sql} is NOT NULL and has no default, and the rollout file does not set otherwise: the undo could not restore a row without a type that new code inserts after the drop. Set otherwise, or give the column a default.`,
  ]
}
