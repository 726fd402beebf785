import type { MigrationTrial } from '../trial/migrationTrial.ts'

/** What the trial on a copy has shown, a line for each fact. */
export function trialLines({ rows, up, down, checks, leftOut, estimated }: MigrationTrial): string[] {
  const formatSeconds = (count: number): string => `${count < 10 ? count.toFixed(2) : Math.round(count)} s`
  const directions = [
    ...(up === null ? [] : [{ name: 'up', ...up, all: estimated.upLockedSeconds }]),
    ...(down === null ? [] : [{ name: 'down', ...down, all: estimated.downLockedSeconds }]),
  ]
  return [
    `${rows} rows of the table were copied`,
    ...directions.map(
      (way) =>
        `${way.name} took ${formatSeconds(way.seconds)}, ${formatSeconds(way.lockedSeconds)} of them under its lock; for the whole table about ${formatSeconds(way.all)} under the lock`,
    ),
    ...directions.map(
      (way) =>
        `locks of ${way.name}: ${way.locks.map(({ relation, mode }) => `${mode} on ${relation}`).join(', ') || 'none'}`,
    ),
    ...checks.map(({ check, ok, detail }) => `${ok ? 'yes' : 'NO'}: ${check}${detail === '' ? '' : ` (${detail})`}`),
    ...leftOut.map((untested) => `not tried: ${untested}`),
  ]
}
