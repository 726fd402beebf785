import type { JournaledChange } from '../../kind/facts.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'

/** What a migration is written from. */
export interface MigrationSource {
  readonly rollout: Rollout
  readonly table: Table
  readonly catalog: LegacyCatalog
  /** The journal of the rollout: the undo makes the dual-write trigger again as it says. */
  readonly changes: readonly Pick<JournaledChange, 'kind' | 'statement'>[]
}
