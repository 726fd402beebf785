import type { LegacyColumn } from '../catalog/legacy.ts'

/** The type that a column is added with: that of a domain with constraints is given once it has its values. */
export const filled = (column: LegacyColumn): string => column.baseType ?? column.type

export const collated = ({ collation }: LegacyColumn): string => (collation === null ? '' : ` collate ${collation}`)
