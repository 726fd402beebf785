import { formatQuantity, formatDuration } from '../../format/format.ts'
import type { MigrationTrial } from '../trial/migrationTrial.ts'

/** The results of the trial on a copy, one line each. */
export function trialLines({ rows, up, down, checks, leftOut, estimated }: MigrationTrial): string[] {
  const directions = [
    ...(up === null ? [] : [{ name: 'up', ...up, all: estimated.upLockedSeconds }]),
    ...(down === null ? [] : [{ name: 'down', ...down, all: estimated.downLockedSeconds }]),
  ]
  return [
    `copied ${formatQuantity(rows, 'row')} of the table`,
    ...directions.map(
      (direction) =>
        `${direction.name} took ${formatDuration(direction.seconds)}, of which it held its lock for ${formatDuration(direction.lockedSeconds)}; estimated lock time for the whole table: ${formatDuration(direction.all)}`,
    ),
    ...directions.map(
      (direction) =>
        `locks of ${direction.name}: ${direction.locks.map(({ relation, mode }) => `${mode} on ${relation}`).join(', ') || 'none'}`,
    ),
    ...checks.map(
      ({ check, ok, detail }) => `${ok ? 'passed' : 'FAILED'}: ${check}${detail === '' ? '' : ` (${detail})`}`,
    ),
    ...leftOut.map((untested) => `not tried: ${untested}`),
  ]
}
