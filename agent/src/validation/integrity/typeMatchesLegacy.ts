import type { ValidationCheck } from '../check.ts'
import { countAcceptedDiscrepancies } from './acceptedRows.ts'

export const typeMatchesLegacy: ValidationCheck = {
  name: 'type-matches-legacy',
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
        (scan.discrepancies === 0 ? 'no row says otherwise' : 'rows whose type is not what their legacy columns say') +
        (scan.kept > 0 ? `; ${scan.kept} hold a type that new code wrote, which turning the flag off loses` : ''),
      sampleKeys: scan.discrepancyKeys,
      query: scan.query,
    }
  },
}
