import type { Proof } from '../proof/proof.ts'

/** What the trial on a copy has shown, a line for each fact. */
export function proofLines({ rows, up, down, checks, leftOut, estimated }: Proof): string[] {
  const seconds = (count: number): string => `${count < 10 ? count.toFixed(2) : Math.round(count)} s`
  const ways = [
    ...(up === null ? [] : [{ name: 'up', ...up, all: estimated.upLockedSeconds }]),
    ...(down === null ? [] : [{ name: 'down', ...down, all: estimated.downLockedSeconds }]),
  ]
  return [
    `${rows} rows of the table were copied`,
    ...ways.map(
      (way) =>
        `${way.name} took ${seconds(way.seconds)}, ${seconds(way.lockedSeconds)} of them under its lock; for the whole table about ${seconds(way.all)} under the lock`,
    ),
    ...ways.map(
      (way) =>
        `locks of ${way.name}: ${way.locks.map(({ relation, mode }) => `${mode} on ${relation}`).join(', ') || 'none'}`,
    ),
    ...checks.map(({ check, ok, detail }) => `${ok ? 'yes' : 'NO'}: ${check}${detail === '' ? '' : ` (${detail})`}`),
    ...leftOut.map((one) => `not tried: ${one}`),
  ]
}
