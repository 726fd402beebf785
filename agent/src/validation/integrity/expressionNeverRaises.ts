import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'
import { countAcceptedDiscrepancies } from './acceptedRows.ts'

export const expressionNeverRaises: ValidationCheck = {
  name: 'expression-never-raises',
  layer: 'integrity',
  unit: 'count',
  needsScan: true,
  async run(context) {
    const { raising, raisingKeys, query } = context.scan()
    const accepted = await countAcceptedDiscrepancies(context.sql, context.rollout, context.table)
    return {
      verdict: raising <= accepted ? 'pass' : 'fail',
      value: raising,
      limit: 0,
      discrepancies: raising,
      sampleKeys: raisingKeys,
      query,
      detail:
        raising === 0
          ? 'the conditions of the rollout file raise no errors'
          : `the conditions of the rollout file raise an error on ${formatQuantity(raising, 'row')} (limit ${formatCount(accepted)})`,
    }
  },
}
