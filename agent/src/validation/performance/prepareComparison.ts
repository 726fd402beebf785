import { setTimeout as delay } from 'node:timers/promises'
import { ValidationParameters, type Baseline } from '../../contract/index.ts'
import type { ComparisonInput } from '../../measure/compareSignal.ts'
import { readBaseline, createBaselineContext } from '../../measure/baselineStore.ts'
import { readComparisonWindow } from '../../measure/comparisonWindow.ts'
import type { CheckContext, CheckFinding } from '../check.ts'

/** Required observation time before a comparison. Longer with Prometheus, which has fewer readings. */
export const OBSERVATION_MS = { live: 60_000, history: 240_000 } as const
/** Includes waiting for the observation time. */
export const PERFORMANCE_CHECK_TIMEOUT_SECONDS = 300
const POLL_INTERVAL_MS = 500

/** The input of a comparison, and a note for the detail of the check. */
export interface PreparedComparison {
  readonly input: ComparisonInput
  readonly note: string
}

/**
 * Waits until enough has been observed since the last operation that wrote the table or changed the flag. Returns a
 * finding instead if there is no usable baseline.
 */
export async function prepareComparison(context: CheckContext): Promise<PreparedComparison | CheckFinding> {
  const baseline = await chooseBaseline(context)
  if ('verdict' in baseline) return baseline
  const { run, rollout, parts, signal } = context
  const { from, concurrentOperation } = await readComparisonWindow(run.database.state, rollout.name, baseline.endedAt)
  const until = from + OBSERVATION_MS[baseline.measured]
  if (Date.now() < until) run.setStep(`observing until ${new Date(until).toISOString()} to compare with the baseline`)
  while (Date.now() < until && run.directive() === 'continue' && !signal.aborted) {
    await delay(Math.min(POLL_INTERVAL_MS, Math.max(1, until - Date.now())))
  }
  const { release, id, warnings } = baseline
  const note = [
    `baseline ${id}${release === null ? '' : ` for release ${release}`}${baseline.oneRunOnly ? ', supplied with this run' : ''}`,
    ...warnings,
    ...(concurrentOperation === null ? [] : [`${concurrentOperation} is running, so its load is included`]),
  ].join('; ')
  const input = { signals: parts.signals, rollout, environment: parts.environment, baseline, from }
  return { input, note }
}

async function chooseBaseline({ run, rollout, facts, parts }: CheckContext): Promise<Baseline | CheckFinding> {
  const requestedId = ValidationParameters.parse(run.operation.parameters).baseline
  const id = requestedId ?? facts.baseline?.id
  const context = createBaselineContext(rollout, parts.environment)
  const baseline = id === undefined ? null : await readBaseline(run.database.state, context, id)
  if (baseline === null) {
    return inconclusiveFinding(
      requestedId === undefined
        ? 'there is no baseline: take one (sti baseline)'
        : `there is no baseline ${requestedId}`,
    )
  }
  if (baseline.unusable.length === 0) return baseline
  return inconclusiveFinding(`baseline ${baseline.id} cannot be used: ${baseline.unusable.join('; ')}`)
}

export function inconclusiveFinding(detail: string): CheckFinding {
  return { verdict: 'inconclusive', value: null, limit: null, detail }
}
