import type { LegacyColumn } from '../catalog/legacyCatalog.ts'

/** The type that a column is added with: that of a domain with constraints is given once it has its values. */
export const columnType = (column: LegacyColumn): string => column.baseType ?? column.type

export const collateClause = ({ collation }: LegacyColumn): string =>
  collation === null ? '' : ` collate ${collation}`
