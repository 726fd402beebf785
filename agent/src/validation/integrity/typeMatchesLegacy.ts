import { TYPE_CHECK } from '../../contract/index.ts'
import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { countAcceptedDiscrepancies } from './acceptedRows.ts'

export const typeMatchesLegacy: ValidationCheck = {
  name: TYPE_CHECK,
  layer: 'integrity',
  unit: 'count',
  needsScan: true,
  async run(context) {
    const scan = context.scan()
    const accepted = await countAcceptedDiscrepancies(context.sql, context.rollout, context.table)
    return {
      verdict: scan.discrepancies <= accepted ? 'pass' : 'fail',
      value: scan.discrepancies,
      limit: 0,
      discrepancies: scan.discrepancies,
      detail:
        (scan.discrepancies === 0
          ? 'every type matches the legacy columns'
          : `${formatQuantity(scan.discrepancies, 'row')} with a type that does not match the legacy columns (limit ${formatCount(accepted)})`) +
        (scan.kept > 0
          ? `; ${formatQuantity(scan.kept, 'row')} with a type written by new code, which is lost when the flag is turned off`
          : ''),
      sampleKeys: scan.discrepancyKeys,
      query: scan.query,
    }
  },
}
