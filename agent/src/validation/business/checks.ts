import type { Rollout } from '../../rollout/rollout.ts'
import type { ValidationCheck } from '../check.ts'
import { requestStatusCheck } from './requestStatus.ts'
import { sameWithFlagCheck } from './sameWithFlag.ts'
import { violationsCheck } from './violations.ts'

/** The business layer: what the rollout file itself asks of the table and of the application. */
export function businessChecks({ file }: Rollout): ValidationCheck[] {
  return file.checks.map(({ name, violations, request }) => {
    if (violations !== undefined) return violationsCheck(name, violations)
    // The file's schema lets none through that has neither.
    if (request === undefined) throw new Error(`check ${name} asks nothing`)
    return request.sameWithFlag ? sameWithFlagCheck(name, request) : requestStatusCheck(name, request)
  })
}
