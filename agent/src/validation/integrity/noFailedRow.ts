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
      detail: failedRows === 0 ? 'none' : 'mend them and retry, or let an admin accept them by key',
    }
  },
}
