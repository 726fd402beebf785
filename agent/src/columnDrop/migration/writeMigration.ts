import type { JournaledChange } from '../../kind/facts.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'
import { writeDownMigration } from './downMigration.ts'
import { migrationNotes } from './migrationNotes.ts'
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

/** What a migration is written from. */
export interface MigrationSource {
  readonly rollout: Rollout
  readonly table: Table
  readonly catalog: LegacyCatalog
  /** The journal of the rollout: the undo makes the dual-write trigger again as it says. */
  readonly changes: readonly Pick<JournaledChange, 'kind' | 'statement'>[]
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
