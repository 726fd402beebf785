import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { countAcceptedDiscrepancies } from './acceptedRows.ts'

/** No row has a NULL type, and after finalize with `constraint: notNull` the column is NOT NULL. */
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
        ? `${rollout.discriminator.sql} is nullable again, but the rollout file requires constraint: notNull: finalize again`
        : rows === 0
          ? 'every row has a type'
          : `${formatQuantity(rows, 'row')} without a type (limit ${formatCount(accepted)}${accepted > 0 ? ', accepted by an admin' : ''})`,
    }
  },
}
