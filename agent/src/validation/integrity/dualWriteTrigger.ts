import type { Check } from '../check.ts'

export const dualWriteTrigger: Check = {
  name: 'dual-write-trigger',
  layer: 'integrity',
  async run({ facts }) {
    return {
      verdict: facts.triggerFault === null ? 'pass' : 'fail',
      ...{ value: null, limit: null },
      detail: facts.triggerFault ?? 'there, on, of this file, and the last of its sort',
    }
  },
}
