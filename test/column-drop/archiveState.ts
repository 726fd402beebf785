import type { Database } from '../../agent/src/database/connect.ts'
import type { Rollout, Table } from '../../agent/src/rollout/rollout.ts'
import type { ArchiveComparison } from '../../agent/src/columnDrop/archive/compareRange.ts'
import { compareArchive } from '../../agent/src/columnDrop/archive/compareArchive.ts'
import { readManifest, type ArchiveManifest } from '../../agent/src/columnDrop/archive/manifest.ts'
import { archiveLayout, archiveTable } from '../../agent/src/columnDrop/archive/archiveSql.ts'
import { archiveFault } from '../../agent/src/columnDrop/archive/archiveFault.ts'

/** The current state of the archive compared with the table. */
export interface ArchiveState {
  readonly manifest: ArchiveManifest | null
  /** True if every row was archived and the triggers have been intact since. */
  readonly complete: boolean
  /** True if table and archive have the same rows. Null: there is nothing to compare. */
  readonly equal: boolean | null
  readonly comparison: ArchiveComparison | null
  /** The reasons why the archive is incomplete or differs; empty if there are none. */
  readonly faults: readonly string[]
}

/** Compares archive and table row by row, read-only. */
export async function readArchiveState(database: Database, rollout: Rollout, table: Table): Promise<ArchiveState> {
  const manifest = await readManifest(database.state, rollout)
  const fault = await archiveFault(database.state, rollout, table)
  const unfinished = manifest?.completedAt == null ? ['The archive is incomplete. Prepare the column drop again.'] : []
  if (manifest === null || fault !== null) {
    const faults = manifest === null ? unfinished : [`${fault} Prepare the column drop again.`, ...unfinished]
    return { manifest, complete: false, equal: null, comparison: null, faults }
  }
  const sql = database.engine({
    purpose: 'compare archive',
    readOnly: true,
    avoidSeqScan: true,
  })
  try {
    const source = {
      archive: archiveTable(rollout, table),
      walked: { table: rollout.table, key: table.key },
      layout: archiveLayout(rollout, table),
      inShards: false,
    }
    const comparison = await compareArchive(sql, source, {
      mayContinue: () => Promise.resolve(true),
      retried: () => undefined,
      lockWaits: { observer: database.state, onBlockers: () => undefined },
      onCompared: () => undefined,
      onDifference: () => Promise.resolve(),
    })
    const equal = comparison === null ? null : comparison.differing === 0
    const faults =
      equal === false
        ? [`${comparison!.differing} rows of the archive differ from the table. Prepare the column drop again.`]
        : []
    return { manifest, complete: unfinished.length === 0, equal, comparison, faults: [...unfinished, ...faults] }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
