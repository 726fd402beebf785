import { formatDuration } from '../format/format.ts'
import type { DatabaseState } from './conditions/conditionInput.ts'

/** The checks of a validation that judge what a rule judges. */
const CHECKS_OF_RULE: Readonly<Record<string, readonly string[]>> = {
  StiApiLatencyHigh: ['api-latency-average', 'api-latency-p95'],
  StiApiErrorsHigh: ['api-error-ratio', 'error-ratio'],
}
const RECENT_MS = 60_000
const VERDICT_TEXT = { pass: 'passed', inconclusive: 'was inconclusive', error: 'could not be run' } as const

/** A validation of the last minute that did not call a fault what the rule calls one; null: there is none. */
export function validationRemark(
  rule: string,
  state: Pick<DatabaseState, 'validation'> | null,
  now: number,
): string | null {
  const validation = state?.validation ?? null
  if (validation?.endedAt == null) return null
  const age = now - Date.parse(validation.endedAt)
  if (age > RECENT_MS) return null
  const findings = validation.checks.flatMap(({ check, verdict, detail }) =>
    CHECKS_OF_RULE[rule]?.includes(check) === true && verdict !== 'fail'
      ? [`${check} ${VERDICT_TEXT[verdict]} (${detail})`]
      : [],
  )
  if (findings.length === 0) return null
  return `Validation ${validation.id} ended ${formatDuration(Math.max(0, Math.round(age / 1_000)))} ago: ${findings.join('; ')}. A validation judges all requests since the last change, and this reading the last 10 to 60 s, so both can be right.`
}
