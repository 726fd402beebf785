import { isPartlyOn } from '../contract/index.ts'
import type { ApiReadings } from '../signals/apiScraper.ts'
import { isKnown } from '../signals/reading.ts'
import type { ApplicationInput, ConditionInput, ControlLimits } from './conditions/conditionInput.ts'
import { errorRateCondition } from './conditions/errorRate.ts'
import { latencyCondition } from './conditions/latency.ts'
import type { ConditionFinding } from './conditions/conditionFinding.ts'

/** What the application's readings of this moment say about turning the flag on. */
export interface EnableJudgement {
  /** Automatic rollback would turn the flag off again within seconds. */
  readonly refusals: readonly string[]
  /** To read before confirming. */
  readonly warnings: readonly string[]
}

interface EnableJudgementInput {
  readonly api: ApiReadings
  /** True if the rollout file reads the application from a histogram; null: it does not read the application. */
  readonly counted: boolean | null
  readonly state: ConditionInput['state']
  /** Why automatic rollback would leave the flag on; null: it would turn the flag off. */
  readonly notArmedReason: string | null
  /** The percentage that the flag would be set to next. */
  readonly percentage: number
  /** What the control group of this moment would allow at 100%; null: there is none. */
  readonly controlLimits: ControlLimits | null
}

/**
 * Judges the last 30 s by the conditions of the guard, as if the flag were on; pure. With a control group at the requested
 * percentage, the guard compares the two variants, which do not exist yet: nothing is refused.
 */
export function judgeEnabling(input: EnableJudgementInput): EnableJudgement {
  const { api, counted, state, notArmedReason, percentage, controlLimits } = input
  if (counted === null) return { refusals: [], warnings: [] }
  const { counted: window } = api
  const requests: ApplicationInput['requests'] = isKnown(window)
    ? { value: { countLast: () => window.value }, at: window.at }
    : window
  const application = {
    api,
    counted,
    state,
    requests,
    activeSeconds: Infinity,
    comparison: null,
    controlLimits,
  } as const
  const findings = [latencyCondition('flag', application), errorRateCondition('flag', application)]
  const sentencesOf = (wanted: ConditionFinding['state']): string[] =>
    findings.filter((finding) => finding.state === wanted).map(({ sentence }) => sentence)
  const unhealthy = sentencesOf('unhealthy')
  const willHaveControlGroup = isPartlyOn({ enabled: true, percentage }) && api.variants.size > 0
  if (willHaveControlGroup) return { refusals: [], warnings: unhealthy.map(describeControlGroup) }
  const undecided = sentencesOf('unknown').map((sentence) => `The guard cannot decide at the moment: ${sentence}`)
  if (unhealthy.length === 0) return { refusals: [], warnings: undecided }
  if (notArmedReason !== null)
    return {
      refusals: [],
      warnings: [...unhealthy.map((sentence) => `${sentence} ${notArmedReason}`), ...undecided],
    }
  return {
    refusals: unhealthy.map(
      (sentence) =>
        `${sentence} Automatic rollback would turn the flag off again within seconds: wait until the application is within its limits, or pause automatic rollback first (sti automatic-rollback pause).`,
    ),
    warnings: undecided,
  }
}

function describeControlGroup(sentence: string): string {
  return `${sentence} Requests with the flag on will be compared with requests with the flag off, so this alone will not turn the flag off.`
}
