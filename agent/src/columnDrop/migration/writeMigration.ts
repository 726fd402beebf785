import { writeDownMigration } from './downMigration.ts'
import { migrationNotes } from './migrationNotes.ts'
import type { MigrationSource } from './migrationSource.ts'
import { writeUpMigration } from './upMigration.ts'

/** Both ways as plain SQL of one transaction each, without its BEGIN and COMMIT: whoever runs it adds those. */
export interface Migration {
  /** For file names, such as `drop_legacy_columns_of_vehicles`. */
  readonly name: string
  readonly up: string
  readonly down: string
  /** What a reviewer has to know of them; one sentence each. */
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
