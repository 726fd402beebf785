import { join } from 'node:path'
import { codeOf, isAway, OperationFailure } from '../../engine/errors.ts'
import type { Run } from '../../engine/kind.ts'
import type { Table } from '../../rollout/rollout.ts'
import { exportArchive } from './export.ts'
import type { ArchiveExport } from './manifest.ts'

/**
 * Writes the archive to a file of this operation in the agent's folder. Null: asked to stop.
 * @throws OperationFailure when the folder cannot be written
 */
export async function exportTo(run: Run, table: Table, folder: string): Promise<ArchiveExport | null> {
  const { database, rollout, operation } = run
  const path = join(folder, `sti-archive-${rollout.name}-${operation.id}.jsonl.gz`)
  run.step('exporting the archive')
  try {
    return await exportArchive(database, rollout, table, path, () => Promise.resolve(run.asked() === 'go-on'))
  } catch (error) {
    const code = codeOf(error)
    if (code === null || !/^E[A-Z]+$/.test(code) || isAway(error)) throw error
    throw new OperationFailure(
      'export',
      `The archive cannot be written to ${path} (${code}): mend that, or ask for it without the export.`,
    )
  }
}
