import { writeDownMigration } from './downMigration.ts'
import { migrationNotes } from './migrationNotes.ts'
import type { MigrationSource } from './migrationSource.ts'
import { writeUpMigration } from './upMigration.ts'

/**
 * The up and down migrations as plain SQL, each for one transaction, without BEGIN and COMMIT: the tool that runs
 * them adds those.
 */
export interface Migration {
  /** The name for files, such as `drop_legacy_columns_of_vehicles`. */
  readonly name: string
  readonly up: string
  readonly down: string
  /** Notes for the reviewer, one sentence each. */
  readonly notes: readonly string[]
}

export function writeMigration(source: MigrationSource): Migration {
  const slug = source.rollout.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')
  return {
    name: `drop_legacy_columns_of_${slug}`,
    up: writeUpMigration(source),
    down: writeDownMigration(source),
    notes: migrationNotes(source),
  }
}
