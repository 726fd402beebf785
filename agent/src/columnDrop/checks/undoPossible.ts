import { migrationRefusals } from '../migration/migrationNotes.ts'
import type { DropCheck } from './dropCheck.ts'

export const undoPossible: DropCheck = {
  name: 'undo-possible',
  question: 'Can the undo restore every row, including rows inserted after the drop?',
  run({ rollout, catalog }) {
    const refusals = migrationRefusals(rollout, catalog)
    if (refusals.length > 0)
      return Promise.resolve({ verdict: 'fail', evidence: refusals[0]!.replace(/\.$/, ''), findings: refusals })
    return Promise.resolve({
      verdict: 'pass',
      evidence:
        'a row that is not in the archive gets every legacy column from restore in the rollout file, a default, or NULL',
    })
  },
}
