import { migrationRefusals } from '../migration/migrationNotes.ts'
import type { DropCheck } from './dropCheck.ts'

export const undoPossible: DropCheck = {
  name: 'undo-possible',
  question: 'Could every row be brought back, also one that new code inserts afterwards?',
  run({ rollout, catalog }) {
    const refusals = migrationRefusals(rollout, catalog)
    if (refusals.length > 0)
      return Promise.resolve({ verdict: 'fail', evidence: refusals[0]!.replace(/\.$/, ''), findings: refusals })
    return Promise.resolve({
      verdict: 'pass',
      evidence:
        'restore of the rollout file, a default or NULL fills every legacy column of a row that is not in the archive',
    })
  },
}
