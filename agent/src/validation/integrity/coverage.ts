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
        `${correctRows} of ${scan.rows} rows hold the type that their legacy columns say` +
        (scan.kept > 0 ? `, or, ${scan.kept} of them, the one that new code wrote (restore: none)` : '') +
        (scan.replica ? ', read on the replica' : '') +
        (accepted > 0 ? `; ${accepted} others were accepted by an admin` : ''),
      sampleKeys: scan.discrepancyKeys,
      query: scan.query,
    }
  },
}
