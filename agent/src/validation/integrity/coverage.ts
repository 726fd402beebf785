import type { Check } from '../check.ts'
import { coverageOf, rightRows } from '../scan/scan.ts'
import { acceptedWrong } from './accepted.ts'

export const coverage: Check = {
  name: 'coverage',
  layer: 'integrity',
  needsScan: true,
  async run(context) {
    const scan = context.scan()
    const accepted = await acceptedWrong(context.sql, context.rollout, context.table)
    const right = rightRows(scan)
    return {
      verdict: scan.rows - right <= accepted ? 'pass' : 'fail',
      value: coverageOf(scan),
      limit: 1,
      discrepancies: Math.max(0, scan.rows - right - accepted),
      detail:
        `${right} of ${scan.rows} rows hold the type that their legacy columns say` +
        (scan.kept > 0 ? `, or, ${scan.kept} of them, the one that new code wrote (restore: none)` : '') +
        (scan.replica ? ', read on the replica' : '') +
        (accepted > 0 ? `; ${accepted} others were accepted by an admin` : ''),
      sampleKeys: scan.discrepancyKeys,
      query: scan.query,
    }
  },
}
