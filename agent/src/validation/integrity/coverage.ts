import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { computeCoverage, countCorrectRows } from '../scan/scanRanges.ts'
import { countAcceptedDiscrepancies } from './acceptedRows.ts'

export const coverage: ValidationCheck = {
  name: 'coverage',
  layer: 'integrity',
  unit: 'ratio',
  needsScan: true,
  async run(context) {
    const scan = context.scan()
    const accepted = await countAcceptedDiscrepancies(context.sql, context.rollout, context.table)
    const correctRows = countCorrectRows(scan)
    return {
      verdict: scan.rows - correctRows <= accepted ? 'pass' : 'fail',
      value: computeCoverage(scan),
      limit: 1,
      discrepancies: Math.max(0, scan.rows - correctRows - accepted),
      detail:
        `${formatCount(correctRows)} of ${formatQuantity(scan.rows, 'row')} have the type implied by their legacy columns` +
        (scan.kept > 0 ? ` (for ${formatCount(scan.kept)} of them new code wrote the type, and restore is none)` : '') +
        (scan.replica ? ', read on the replica' : '') +
        (accepted > 0 ? `; an admin accepted ${formatQuantity(accepted, 'other row')}` : ''),
      sampleKeys: scan.discrepancyKeys,
      query: scan.query,
    }
  },
}
