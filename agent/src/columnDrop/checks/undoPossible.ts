import { formatQuantity } from '../../format/format.ts'
import { migrationRefusals } from '../migration/migrationNotes.ts'
import type { DropCheck, TableContext } from './dropCheck.ts'

export const undoPossible: DropCheck<TableContext> = {
  name: 'undo-possible',
  question: 'Can the undo restore every row, including rows inserted after the drop?',
  run({ rollout, catalog }) {
    const refusals = migrationRefusals(rollout, catalog)
    if (refusals.length > 0) {
      const summary = `the undo could not restore ${formatQuantity(refusals.length, 'column')}`
      const evidence = refusals.join(' ').replace(/\.$/, '')
      return Promise.resolve({ verdict: 'fail', summary, evidence, findings: refusals })
    }
    return Promise.resolve({
      verdict: 'pass',
      evidence:
        'a row that is not in the archive gets every legacy column from restore in the rollout file, a default, or NULL',
    })
  },
}
