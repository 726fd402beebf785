import { formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'

export const noFailedRow: ValidationCheck = {
  name: 'no-failed-row',
  layer: 'integrity',
  unit: 'count',
  async run({ facts }) {
    const { failedRows } = facts
    return {
      verdict: failedRows === 0 ? 'pass' : 'fail',
      value: failedRows,
      limit: 0,
      discrepancies: failedRows,
      detail:
        failedRows === 0
          ? 'no failed rows'
          : `${formatQuantity(failedRows, 'failed row')} (limit 0): fix and retry them, or let an admin accept them by key`,
    }
  },
}
