import type { Rollout } from '../../rollout/rollout.ts'
import type { LegacyCatalog, LegacyColumn } from '../catalog/legacyCatalog.ts'
import { usesTableRewrite } from './restoreValues.ts'
import type { MigrationSource } from './migrationSource.ts'

/** What a reviewer has to know. */
export function migrationNotes({ rollout, catalog }: MigrationSource): string[] {
  const columns = catalog.relations[0]!.columns
  const objects = [...catalog.indexes, ...catalog.constraints, ...catalog.statistics].map((object) => object.name)
  const unique = [
    ...catalog.indexes.filter((index) => /^CREATE UNIQUE/.test(index.definition)),
    ...catalog.constraints.filter((constraint) => constraint.kind === 'unique' || constraint.kind === 'exclusion'),
  ].map((object) => object.name)
  return [
    `The drop takes an ACCESS EXCLUSIVE lock on ${[rollout.table.sql, ...catalog.alsoLocked].join(', ')} while it counts the rows of table and archive; the columns then go at once. It waits 100 ms for the lock and tries again, 100 times at most.`,
    usesTableRewrite({ rollout, catalog })
      ? 'The undo holds that lock while it rewrites the table once, with every index, and needs as much room again meanwhile.'
      : 'The undo holds that lock while it writes every row, and makes constraints and indexes again.',
    ...(objects.length === 0 ? [] : [`With the columns go ${objects.join(', ')}; the undo makes them again.`]),
    ...(columns.some((column) => column.position < columns.length)
      ? [
          'After the undo the columns stand at the end of the table: an INSERT without a list of columns means something else then.',
        ]
      : ['After the undo the columns stand at the end of the table, in their order.']),
    ...(unique.length === 0
      ? []
      : [
          `Rows that came after the drop all have the same restored values: ${unique.join(', ')} may refuse the undo then.`,
        ]),
    ...catalog.indexes
      .filter((index) => !index.valid)
      .map((index) => `Index ${index.name} is INVALID and does not come back.`),
    ...(rollout.file.restore === 'none'
      ? [
          'The rollout file has restore: none: what new code makes of a row after the drop is not carried to the legacy columns.',
        ]
      : []),
    'Run ANALYZE on the table after the undo: PostgreSQL knows nothing of the columns’ values then.',
    'A row that is deleted and inserted again with the same key after the drop counts as the same row; one whose key is changed counts as a new one.',
    'Where schema sti is not there (a new database of a developer) the table has to be empty, and only the columns are dropped.',
  ]
}

/** Why no undo could be written that works; each sentence says what to do. Empty: it can. */
export function migrationRefusals(rollout: Rollout, catalog: LegacyCatalog): string[] {
  const columns = catalog.relations[0]?.columns ?? []
  if (columns.length === 0) return ['The legacy columns are not there any more.']
  return columns
    .filter((column) => column.notNull && column.default === null && column.identity === null)
    .flatMap((column) => missingValueRefusals(rollout, column))
}

function missingValueRefusals(rollout: Rollout, column: LegacyColumn): string[] {
  const types = rollout.types.filter((type) => rollout.restoreValues(type)?.has(column.name) !== true)
  if (types.length > 0) {
    return [
      `Column ${column.sql} is NOT NULL and has no default, and restore of ${types.join(', ')} does not name it: a row that new code inserts after the drop could not be brought back. Name it in restore, or give it a default.`,
    ]
  }
  if (!rollout.mayBeUnmapped || rollout.file.constraint === 'notNull') return []
  return [
    `Column ${column.sql} is NOT NULL and has no default, and the rollout file has no otherwise: a row without a type that new code inserts after the drop could not be brought back. Name an otherwise, or give the column a default.`,
  ]
}
