import type { JournaledChange } from '../../kind/facts.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'

/** The input for writing a migration. */
export interface MigrationSource {
  readonly rollout: Rollout
  readonly table: Table
  readonly catalog: LegacyCatalog
  /** The journal of the rollout, from which the undo recreates the dual-write trigger. */
  readonly changes: readonly Pick<JournaledChange, 'kind' | 'statement'>[]
}
