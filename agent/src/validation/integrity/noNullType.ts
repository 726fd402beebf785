import type { Check } from '../check.ts'
import { acceptedWrong } from './accepted.ts'

/** No row is without a type; with `constraint: notNull` and after finalize the column says so too. */
export const noNullType: Check = {
  name: 'no-null-type',
  layer: 'integrity',
  needsScan: true,
  async run({ scan, sql, rollout, table, facts }) {
    const { confusion, query } = scan()
    const rows = confusion.filter((cell) => cell.actual === null).reduce((sum, cell) => sum + cell.rows, 0)
    const accepted = rows === 0 ? 0 : await acceptedWrong(sql, rollout, table)
    const finalized = facts.changes.some((change) => change.kind === 'not-null')
    const open = rollout.file.constraint === 'notNull' && finalized && table.discriminator?.notNull === false
    return {
      verdict: rows <= accepted && !open ? 'pass' : 'fail',
      value: rows,
      limit: accepted,
      discrepancies: Math.max(0, rows - accepted),
      query,
      detail: open
        ? `the file says constraint: notNull, and ${rollout.discriminator.sql} may be NULL again: finalize once more`
        : rows === 0
          ? 'every row has a type'
          : `${rows} rows have no type${accepted > 0 ? `, ${accepted} of them accepted by an admin` : ''}`,
    }
  },
}
