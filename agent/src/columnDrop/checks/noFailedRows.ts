import { formatQuantity } from '../../format/format.ts'
import { type DropCheck } from './dropCheck.ts'

export const noFailedRows: DropCheck = {
  name: 'no-failed-rows',
  question: 'Does every row have a type?',
  run({ facts }) {
    const { failedRows: open, acceptedRows: accepted } = facts
    if (open + accepted > 0)
      return Promise.resolve({
        verdict: 'fail',
        evidence: `${formatQuantity(open, 'failed row')} and ${formatQuantity(accepted, 'accepted row')} have no type, and only the legacy columns describe them: fix the rows and retry (sti failed-rows)`,
      })
    return Promise.resolve({ verdict: 'pass', evidence: 'there are no failed or accepted rows' })
  },
}
