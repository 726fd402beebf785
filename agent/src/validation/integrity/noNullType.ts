import type { ValidationCheck } from '../check.ts'
import { countAcceptedDiscrepancies } from './acceptedRows.ts'

/** No row is without a type; with `constraint: notNull` and after finalize the column says so too. */
export const noNullType: ValidationCheck = {
  name: 'no-null-type',
  layer: 'integrity',
  unit: 'count',
  needsScan: true,
  async run({ scan, sql, rollout, table, facts }) {
    const { confusion, query } = scan()
    const rows = confusion.filter((cell) => cell.actual === null).reduce((sum, cell) => sum + cell.rows, 0)
    const accepted = rows === 0 ? 0 : await countAcceptedDiscrepancies(sql, rollout, table)
    const finalized = facts.changes.some((change) => change.kind === 'not-null')
    const nullableAgain = rollout.file.constraint === 'notNull' && finalized && table.discriminator?.notNull === false
    return {
      verdict: rows <= accepted && !nullableAgain ? 'pass' : 'fail',
      value: rows,
      limit: accepted,
      discrepancies: Math.max(0, rows - accepted),
      query,
      detail: nullableAgain
        ? `the file says constraint: notNull, and ${rollout.discriminator.sql} may be NULL again: finalize once more`
        : rows === 0
          ? 'every row has a type'
          : `${rows} rows have no type${accepted > 0 ? `, ${accepted} of them accepted by an admin` : ''}`,
    }
  },
}
