import { formatCount, formatDuration, formatQuantity } from '../../format/format.ts'
import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'
import { worstOfServers } from './worstOfServers.ts'

/** WAL archiving keeps up and does not fail. */
export const archiver: ValidationCheck = {
  name: 'archiver',
  layer: 'system',
  unit: 'count',
  run: ({ run, rollout, signal }) =>
    worstOfServers(run, signal, async (server) => {
      const backlog = await awaitReading(() => server.archive(), signal)
      if ('verdict' in backlog) return backlog
      const { enabled, files, failing } = backlog.value
      const limit = resolveLimits(rollout.file).archiveBacklogFiles.pause
      if (failing) {
        const detail = `archiving ${failing.file} fails, and no file was archived for ${formatDuration(failing.seconds)}: check archive_command and the server log`
        return { verdict: 'fail', value: files, limit, detail }
      }
      if (!enabled) return { verdict: 'pass', value: 0, limit, detail: 'archive_mode is off' }
      const verdict = limit !== null && files > limit ? 'fail' : 'pass'
      return {
        verdict,
        value: files,
        limit,
        detail: `${formatQuantity(files, 'WAL file')} waiting to be archived${limit === null ? '' : ` (limit ${formatCount(limit)})`}`,
      }
    }),
}
