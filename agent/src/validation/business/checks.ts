import type { Rollout } from '../../rollout/rollout.ts'
import type { ValidationCheck } from '../check.ts'
import { requestStatusCheck } from './requestStatus.ts'
import { sameWithFlagCheck } from './sameWithFlag.ts'
import { violationsCheck } from './violations.ts'

/** The business layer: checks that the rollout file defines for the table and the application. */
export function businessChecks({ file }: Rollout): ValidationCheck[] {
  return file.checks.map(({ name, violations, request }) => {
    if (violations !== undefined) return violationsCheck(name, violations)
    // The schema of the file requires one of the two.
    if (request === undefined) throw new Error(`check ${name} has neither violations nor request`)
    return request.sameWithFlag ? sameWithFlagCheck(name, request) : requestStatusCheck(name, request)
  })
}
