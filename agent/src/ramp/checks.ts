import type { FlagStatus } from '../contract/index.ts'
import { judgeErrors } from '../measure/compare.ts'
import { requestsOf } from '../measure/errors.ts'
import { enablingRefusals, unforceable } from '../operation/gate.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Check } from '../validation/check.ts'
import { wrongSince } from '../validation/integrity/wrongSince.ts'
import { checksOf } from '../validation/layers.ts'

/** Checks of the integrity layer that cost about nothing; the others read the table, and validations ask them. */
const CHEAP = ['dual-write-trigger', 'dual-write-canary', 'dual-write-conflicts', 'no-failed-row']

export interface Judged {
  readonly flag: () => FlagStatus
  /** The operation that set this step, and when that was (milliseconds since 1970). */
  readonly change: number
  readonly changedAt: number
  readonly force: boolean
}

/** What a step is judged by: quick ones first. */
export function stepChecks(rollout: Rollout, judged: Judged): Check[] {
  const checks = checksOf(rollout)
  return [
    clientsHaveSeen(judged),
    gate(judged),
    failedValidation,
    ...checks.filter(({ layer, name }) => layer === 'integrity' && CHEAP.includes(name)),
    newRows(judged),
    errorsOfStep(judged),
    ...checks.filter(({ layer }) => layer === 'performance'),
  ]
}

const clientsHaveSeen = ({ flag }: Judged): Check => ({
  name: 'flag-consistency',
  layer: 'integrity',
  run() {
    const { clients } = flag()
    const stale = clients.filter((client) => client.stale)
    const names = stale.slice(0, 5).map(({ client }) => client)
    return Promise.resolve({
      verdict: stale.length === 0 ? 'pass' : 'inconclusive',
      value: stale.length,
      limit: 0,
      detail:
        stale.length === 0
          ? `${clients.length} clients have seen it`
          : `${stale.length} of ${clients.length} clients have not asked since: ${names.join(', ')}; look at them, or accept them by name (sti accept-client)`,
    })
  },
})

/** What has come up against enabling since it was asked for. */
const gate = ({ force }: Judged): Check => ({
  name: 'gate',
  layer: 'integrity',
  run({ facts }) {
    const reasons = force ? unforceable(facts) : enablingRefusals(facts)
    return Promise.resolve({
      verdict: reasons.length === 0 ? 'pass' : 'inconclusive',
      value: reasons.length,
      limit: 0,
      detail: reasons.length === 0 ? 'open' : reasons.join(' ').replace(/\.$/, ''),
    })
  },
})

/** A validation beside the ramp has found what the one before did not. */
const failedValidation: Check = {
  name: 'validation',
  layer: 'integrity',
  run({ facts }) {
    const failed = facts.failedSince
    return Promise.resolve({
      verdict: failed.length === 0 ? 'pass' : 'fail',
      value: failed.length,
      limit: 0,
      detail: failed.length === 0 ? 'nothing has failed since' : `failed since then: ${failed.join(', ')}`,
    })
  },
}

const newRows = ({ change }: Judged): Check => ({
  name: 'new-rows',
  layer: 'integrity',
  seconds: 60,
  async run({ sql, rollout, table }) {
    // Legacy columns do not follow the type then: the two may differ.
    if (rollout.file.restore === 'none') return null
    const { query, rows, stayed, shown } = await wrongSince(sql, rollout, table, change)
    return {
      verdict: stayed.length === 0 ? 'pass' : 'fail',
      value: stayed.length,
      limit: 0,
      discrepancies: stayed.length,
      sampleKeys: stayed.slice(0, 10),
      query,
      detail: `${rows} rows were written in this step${shown}, ${stayed.length} of them hold another type than their legacy columns say`,
    }
  },
})

/** Where a baseline can be used its check of errors says more. */
const errorsOfStep = ({ changedAt }: Judged): Check => ({
  name: 'error-ratio-of-step',
  layer: 'performance',
  run({ rollout, parts, facts }) {
    if (rollout.file.api === undefined || facts.baseline?.unusable.length === 0) return Promise.resolve(null)
    const limit = rollout.file.limits.errorRatio
    const of = (signal: string) => parts.signals.recent.of(rollout.name, signal, changedAt)
    const requests = requestsOf(of('api-error-ratio'), of('api-request-rate'))
    const { verdict, detail } = judgeErrors(requests, limit)
    const value = requests.all > 0 ? requests.failed / requests.all : null
    return Promise.resolve({ verdict: verdict ?? 'inconclusive', value, limit, detail })
  },
})
