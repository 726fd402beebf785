import { join } from 'node:path'
import { errorCode, isConnectionError } from '../../database/errors.ts'
import { OperationFailedError } from '../../kind/operationErrors.ts'
import type { RunContext } from '../../kind/kind.ts'
import type { Table } from '../../rollout/rollout.ts'
import { exportArchive } from './exportArchive.ts'
import type { ArchiveExport } from './manifest.ts'

/**
 * Writes the archive to a file of this operation in the agent's folder. Null: asked to stop.
 * @throws OperationFailure when the folder cannot be written
 */
export async function exportToFolder(run: RunContext, table: Table, folder: string): Promise<ArchiveExport | null> {
  const { database, rollout, operation } = run
  const path = join(folder, `sti-archive-${rollout.name}-${operation.id}.jsonl.gz`)
  run.setStep('exporting the archive')
  try {
    return await exportArchive(database, rollout, table, path, () => Promise.resolve(run.directive() === 'continue'))
  } catch (error) {
    const code = errorCode(error)
    if (code === null || !/^E[A-Z]+$/.test(code) || isConnectionError(error)) throw error
    throw new OperationFailedError(
      'export',
      `The archive cannot be written to ${path} (${code}): mend that, or ask for it without the export.`,
    )
  }
}
