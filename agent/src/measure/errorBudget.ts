import { formatCount, formatPercent, formatQuantity } from '../format/format.ts'

/** How many of `rows` may fail; `errorBudget` is a ratio. */
export const allowedFailedRows = (errorBudget: number, rows: number): number => Math.floor(errorBudget * rows)

/** `3 of 500 rows failed (error budget 2 rows, 0.5%)`. A rounded percentage could equal the budget that is exceeded. */
export function describeFailedRows(failedRows: number, rows: number, errorBudget: number): string {
  const allowed = formatQuantity(allowedFailedRows(errorBudget, rows), 'row')
  return `${formatCount(failedRows)} of ${formatQuantity(rows, 'row')} failed (error budget ${allowed}, ${formatPercent(errorBudget)})`
}
