import { findMissingReverseSync } from '../../dualWrite/verifyTrigger.ts'
import type { ValidationCheck } from '../check.ts'

export const dualWriteTrigger: ValidationCheck = {
  name: 'dual-write-trigger',
  layer: 'integrity',
  unit: 'count',
  async run({ run, rollout, table, facts }) {
    // Nothing writes the type until the flag is on.
    const missing = facts.flag.enabled ? await findMissingReverseSync(run.database.state, rollout, table) : null
    const fault = facts.triggerFault ?? (missing && `The flag is on without ${missing}: turn it off, then finalize.`)
    return {
      verdict: fault === null ? 'pass' : 'fail',
      value: null,
      limit: null,
      detail: fault ?? 'the trigger exists, is enabled, matches this rollout file, and fires last',
    }
  },
}
