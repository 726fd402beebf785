import type { Rollout, Table } from './rollout.ts'

/**
 * Legacy columns that an INSERT of a type alone leaves without a value although they need one: the file's `restore` keeps
 * what the row has, and a new row has nothing. One sentence per column.
 */
export function typeOnlyInsertNotes(rollout: Rollout, table: Table): string[] {
  if (rollout.file.dualWrite !== 'trigger') return []
  return table.columns
    .filter(
      (column) =>
        rollout.legacyColumns.includes(column.name) &&
        column.notNull &&
        column.default === null &&
        !column.generated &&
        column.identity === null,
    )
    .flatMap((column) => {
      const types = rollout.types.filter((type) => {
        const value = rollout.restoreValues(type)?.get(column.name)
        return value === undefined || value.kind === 'keep'
      })
      if (types.length === 0) return []
      return [
        `New code that inserts a row of type ${types.join(', ')} must set ${column.sql}, too: the column is NOT NULL without a default, and the file's restore does not set it for ${types.length === 1 ? 'that type' : 'those types'}. Add a value to restore, or give the column a default.`,
      ]
    })
}
