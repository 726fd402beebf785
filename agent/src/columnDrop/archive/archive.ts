import type { Database } from '../../database/connect.ts'
import { runDdl } from '../../engine/ddl.ts'
import type { Run } from '../../engine/kind.ts'
import { literal } from '../../rollout/names.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { keepArchive as keepTriggers, makeArchive } from './changes.ts'
import type { Comparison } from './compare.ts'
import { compareAll } from './compareAll.ts'
import { readManifest, type ArchiveManifest } from './manifest.ts'
import { keptOf } from './names.ts'
import { archiveFault } from './verify.ts'

/** Whether the archive holds now what the table holds. */
export interface ArchiveState {
  readonly manifest: ArchiveManifest | null
  /** Every row was kept once, and the triggers have been in order since. */
  readonly complete: boolean
  /** Each row is in both and the same. Null: there is nothing to compare, or it was asked to stop. */
  readonly equal: boolean | null
  readonly comparison: Comparison | null
  /** Why it is not complete, or not equal; empty when all is well. */
  readonly faults: readonly string[]
}

/** Compares archive and table row by row; reads only. `goOn` is asked between two ranges. */
export async function archiveIs(
  database: Database,
  rollout: Rollout,
  table: Table,
  goOn: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<ArchiveState> {
  const manifest = await readManifest(database.state, rollout)
  const fault = await archiveFault(database.state, rollout, table)
  const unfinished = manifest?.completedAt == null ? ['The archive is not complete: prepare the column drop.'] : []
  if (manifest === null || fault !== null) {
    const faults = manifest === null ? unfinished : [`${fault} Prepare the column drop again.`, ...unfinished]
    return { manifest, complete: false, equal: null, comparison: null, faults }
  }
  const sql = database.engine({
    purpose: 'compare archive',
    searchPath: rollout.searchPath,
    readOnly: true,
    ranges: true,
  })
  try {
    const of = { rollout, walked: { table: rollout.table, key: table.key }, kept: keptOf(rollout, table) }
    const comparison = await compareAll(sql, of, {
      goOn,
      retried: () => undefined,
      passed: () => undefined,
      differs: () => Promise.resolve(),
    })
    const equal = comparison === null ? null : comparison.differing === 0
    const faults =
      equal === false
        ? [`${comparison!.differing} rows of the archive are not what the table holds: prepare the column drop again.`]
        : []
    return { manifest, complete: unfinished.length === 0, equal, comparison, faults: [...unfinished, ...faults] }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Takes archive and triggers away for good, and what is known of it. */
export async function removeArchive(run: Run, table: Table): Promise<void> {
  const { rollout, database, operation } = run
  const sql = database.engine({ purpose: 'archive', searchPath: rollout.searchPath })
  const changes = [keepTriggers(rollout, table), makeArchive(rollout, table)]
  try {
    await runDdl(run, sql, {
      what: 'taking the archive away',
      steps: [
        ...changes.map((change) => change.inverse),
        `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
          where rollout = ${literal(rollout.name)} and kind = 'archive' and reverted_at is null`,
        `delete from sti.column_archive where rollout = ${literal(rollout.name)}`,
      ],
    })
    await run.event('ddl', 'the archive is taken away', { before: changes.map((change) => change.statement) })
  } finally {
    await sql.end({ timeout: 1 })
  }
}
