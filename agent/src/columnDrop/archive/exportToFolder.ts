import { join } from 'node:path'
import { errorCode, isConnectionError } from '../../database/errors.ts'
import { OperationFailedError } from '../../kind/operationErrors.ts'
import type { RunContext } from '../../kind/kind.ts'
import type { Table } from '../../rollout/rollout.ts'
import { exportArchive } from './exportArchive.ts'
import type { ArchiveExport } from './manifest.ts'

/**
 * Exports the archive to a file in the agent's archive folder. Returns null if the operation was asked to stop.
 * @throws OperationFailedError if the folder cannot be written
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
      `The archive cannot be written to ${path} (${code}). Fix the cause, or run the command without --export-archive.`,
    )
  }
}
