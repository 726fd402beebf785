import { resolveLimits } from '../../throttle/limits.ts'
import type { ValidationCheck } from '../check.ts'
import { awaitReading } from './awaitReading.ts'

/** WAL is archived, and no attempt fails. */
export const archiver: ValidationCheck = {
  name: 'archiver',
  layer: 'system',
  unit: 'count',
  async run({ run, rollout, sql, signal }) {
    const backlog = await awaitReading(() => run.pressure.archive(), signal)
    if ('verdict' in backlog) return backlog
    const { files, failing } = backlog.value
    const limit = resolveLimits(rollout.file).archiveBacklogFiles.pause
    if (failing) {
      const detail = `the archiver fails at ${failing.file}, none succeeded for ${Math.round(failing.seconds)} s: look at archive_command and the server's log`
      return { verdict: 'fail', value: files, limit, detail }
    }
    const [row] = await sql<{ mode: string }[]>`select current_setting('archive_mode') as mode`
    if (row!.mode === 'off')
      return { verdict: 'pass', value: 0, limit, detail: 'archive_mode is off: nothing is archived' }
    const verdict = limit !== null && files > limit ? 'fail' : 'pass'
    return { verdict, value: files, limit, detail: `${files} files of WAL wait to be archived` }
  },
}
