import { counted, type DropCheck } from './check.ts'

export const failedRows: DropCheck = {
  name: 'no-failed-rows',
  question: 'Has every row its type?',
  run({ facts }) {
    const { failedRows: open, acceptedRows: accepted } = facts
    if (open + accepted > 0)
      return Promise.resolve({
        verdict: 'fail',
        evidence: `${counted(open, 'failed row')} and ${counted(accepted, 'accepted one')} have no type, so that their legacy columns are all that is known of them: mend them and retry (sti failed-rows)`,
      })
    return Promise.resolve({ verdict: 'pass', evidence: 'there is no failed row, and none was accepted as lost' })
  },
}
