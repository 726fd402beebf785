import { describeStaleClients, type FlagStatus, type VariantComparison } from '../contract/index.ts'
import { judgeErrorRatio } from '../measure/compareSignal.ts'
import { countRequests } from '../measure/errorRateTest.ts'
import { enableRefusals, unforceableRefusals } from '../operation/enablePrerequisites.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ValidationCheck } from '../validation/check.ts'
import { findDiscrepanciesSince } from '../validation/integrity/discrepanciesSince.ts'
import { listChecks } from '../validation/layers.ts'
import { typeUsedCheck } from './typeUsed.ts'
import { variantChecks } from './variantChecks.ts'

/** Fast checks of the integrity layer; the others read the table, and run in validations. */
const QUICK_CHECKS = ['dual-write-trigger', 'dual-write-canary', 'dual-write-conflicts', 'no-failed-row']

export interface StepContext {
  readonly flag: () => FlagStatus
  /** The operation that set this step, and its time in milliseconds since 1970. */
  readonly operationId: number
  readonly changedAt: number
  readonly force: boolean
  /** Requests by type against requests by legacy columns in this step; null: there is no control group. */
  readonly comparison: VariantComparison | null
}

/** The checks that judge a step, fast ones first. */
export function stepChecks(rollout: Rollout, step: StepContext): ValidationCheck[] {
  const checks = listChecks(rollout)
  return [
    flagConsistencyCheck(step),
    enablePrerequisitesCheck(step),
    failedValidationCheck,
    ...checks.filter(({ layer, name }) => layer === 'integrity' && QUICK_CHECKS.includes(name)),
    newRowsCheck(step),
    typeUsedCheck(step),
    ...(step.comparison === null
      ? [stepErrorRatioCheck(step), ...checks.filter(({ layer }) => layer === 'performance')]
      : variantChecks(step.comparison)),
  ]
}

const flagConsistencyCheck = ({ flag }: StepContext): ValidationCheck => ({
  name: 'flag-consistency',
  layer: 'integrity',
  unit: 'count',
  run() {
    const status = flag()
    const stale = status.clients.filter((client) => client.stale)
    return Promise.resolve({
      verdict: stale.length === 0 ? 'pass' : 'inconclusive',
      value: stale.length,
      limit: 0,
      detail: describeStaleClients(status) ?? `all ${status.clients.length} clients have received the step`,
    })
  },
})

/** Prerequisites of enabling that are no longer met. */
const enablePrerequisitesCheck = ({ force }: StepContext): ValidationCheck => ({
  name: 'gate',
  layer: 'integrity',
  unit: 'count',
  run({ facts }) {
    const reasons = force ? unforceableRefusals(facts) : enableRefusals(facts)
    return Promise.resolve({
      verdict: reasons.length === 0 ? 'pass' : 'inconclusive',
      value: reasons.length,
      limit: 0,
      detail: reasons.length === 0 ? 'all prerequisites are met' : reasons.join(' ').replace(/\.$/, ''),
    })
  },
})

/** A validation during the ramp failed checks that had passed before. */
const failedValidationCheck: ValidationCheck = {
  name: 'validation',
  layer: 'integrity',
  unit: 'count',
  run({ facts }) {
    const failed = facts.checksFailedSince.map(({ check }) => check)
    return Promise.resolve({
      verdict: failed.length === 0 ? 'pass' : 'fail',
      value: failed.length,
      limit: 0,
      detail:
        failed.length === 0
          ? 'no check has failed since the last validation'
          : `checks that failed since the last validation: ${failed.join(', ')}`,
    })
  },
}

const newRowsCheck = ({ operationId: change }: StepContext): ValidationCheck => ({
  name: 'new-rows',
  layer: 'integrity',
  unit: 'count',
  seconds: 60,
  async run({ sql, rollout, table }) {
    // Without a restore, legacy columns do not follow the type, so the two may differ.
    if (rollout.typesWithoutRestore.length === rollout.types.length) return null
    const {
      query,
      writtenRows: rows,
      persistent: stayed,
      sampleNote: shown,
    } = await findDiscrepanciesSince(sql, rollout, table, change)
    return {
      verdict: stayed.length === 0 ? 'pass' : 'fail',
      value: stayed.length,
      limit: 0,
      discrepancies: stayed.length,
      sampleKeys: stayed.slice(0, 10),
      query,
      detail: `${rows} rows were written in this step${shown}, ${stayed.length} of them have a type that does not match their legacy columns`,
    }
  },
})

/** Only without a usable baseline; its own error check is more sensitive. */
const stepErrorRatioCheck = ({ changedAt }: StepContext): ValidationCheck => ({
  name: 'error-ratio-of-step',
  layer: 'performance',
  unit: 'ratio',
  run({ rollout, parts, facts }) {
    if (rollout.file.api === undefined || facts.baseline?.unusable.length === 0) return Promise.resolve(null)
    const limit = rollout.file.limits.errorRatio
    const readingsSince = (signal: string) => parts.signals.recent.readings(rollout.name, signal, changedAt)
    const requests = countRequests(readingsSince('api-error-ratio'), readingsSince('api-request-rate'))
    const { verdict, detail } = judgeErrorRatio(requests, limit)
    const value = requests.all > 0 ? requests.failed / requests.all : null
    return Promise.resolve({ verdict: verdict ?? 'inconclusive', value, limit, detail })
  },
})
