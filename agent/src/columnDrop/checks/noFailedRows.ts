import { formatCount, type DropCheck } from './dropCheck.ts'

export const noFailedRows: DropCheck = {
  name: 'no-failed-rows',
  question: 'Has every row its type?',
  run({ facts }) {
    const { failedRows: open, acceptedRows: accepted } = facts
    if (open + accepted > 0)
      return Promise.resolve({
        verdict: 'fail',
        evidence: `${formatCount(open, 'failed row')} and ${formatCount(accepted, 'accepted one')} have no type, so that their legacy columns are all that is known of them: mend them and retry (sti failed-rows)`,
      })
    return Promise.resolve({ verdict: 'pass', evidence: 'there is no failed row, and none was accepted as lost' })
  },
}
