import { formatQuantity } from '../../format/format.ts'
import type { ValidationCheck } from '../check.ts'

export const noUnknownType: ValidationCheck = {
  name: 'no-unknown-type',
  layer: 'integrity',
  unit: 'count',
  needsScan: true,
  async run({ rollout, scan }) {
    const { unknownTypes, query } = scan()
    return {
      verdict: unknownTypes === 0 ? 'pass' : 'fail',
      value: unknownTypes,
      limit: 0,
      discrepancies: unknownTypes,
      query,
      detail: `${formatQuantity(unknownTypes, 'row')} with a type other than ${rollout.types.join(', ')} (limit 0)`,
    }
  },
}
