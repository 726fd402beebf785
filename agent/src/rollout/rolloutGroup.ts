import { createHash } from 'node:crypto'
import type { QualifiedName } from './identifiers.ts'
import type { Rollout } from './rollout.ts'
import type { RolloutFile } from './rolloutFile.ts'
import type { TableSelection } from './tableSelection.ts'

/** A rollout file with several tables. Each of them has a rollout of its own, its child, compiled from the same file. */
export interface RolloutGroup {
  readonly name: string
  readonly path: string
  readonly text: string
  /** SHA-256 of the text, in hex. */
  readonly hash: string
  /** The hash of what derives, to which the operations of the group are bound; how it names its tables is no part of it. */
  readonly derivationHash: string
  readonly file: Omit<RolloutFile, 'table'>
  /** The group as a rollout, for what touches no table: the flag, signals, and backups. Its table does not exist. */
  readonly rollout: Rollout
  readonly tables: TableSelection
  /** `file:line:column` of a value of the file. */
  locate(path: readonly PropertyKey[]): string
  /** The rollout of one of its tables. */
  child(table: QualifiedName): Rollout
}

/** A table that never exists. */
export const NO_TABLE = 'public."~sti_none"'

/** Between the name of a group and that of a table; a rollout file cannot have it in its own name. */
const SEPARATOR = '@'

/**
 * The name of the child for a table: `vehicles@tenant_1`. It is part of URLs and labels, so a schema with other
 * characters than letters, digits, `_` and `-` is written with `-` instead, and a hash that makes it unique.
 */
export function childName(group: string, { schema }: Pick<QualifiedName, 'schema'>): string {
  if (/^[A-Za-z0-9_-]+$/.test(schema)) return `${group}${SEPARATOR}${schema}`
  const hash = createHash('sha256').update(schema).digest('hex').slice(0, 8)
  return `${group}${SEPARATOR}${schema.replace(/[^A-Za-z0-9_-]/g, '-')}-${hash}`
}

/** The name of the group of a child; null: the rollout belongs to none. */
export function groupOf(name: string): string | null {
  const at = name.indexOf(SEPARATOR)
  return at === -1 ? null : name.slice(0, at)
}
