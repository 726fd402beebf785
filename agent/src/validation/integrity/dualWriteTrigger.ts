import { findMissingReverseSync } from '../../dualWrite/verifyTrigger.ts'
import type { ValidationCheck } from '../check.ts'

export const dualWriteTrigger: ValidationCheck = {
  name: 'dual-write-trigger',
  layer: 'integrity',
  unit: 'count',
  async run({ run, rollout, table, facts }) {
    // Before the flag is on nobody writes the type.
    const missing = facts.flag.enabled ? await findMissingReverseSync(run.database.state, rollout, table) : null
    const fault = facts.triggerFault ?? (missing && `The flag is on without ${missing}: turn it off, then finalize.`)
    return {
      verdict: fault === null ? 'pass' : 'fail',
      value: null,
      limit: null,
      detail: fault ?? 'there, on, of this file, and the last of its sort',
    }
  },
}
