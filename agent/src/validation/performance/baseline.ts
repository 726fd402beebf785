import { setTimeout as delay } from 'node:timers/promises'
import { ValidationParameters, type Baseline } from '../../contract/index.ts'
import type { Comparing } from '../../measure/compare.ts'
import { readBaseline, useOf } from '../../measure/store.ts'
import { windowOf } from '../../measure/window.ts'
import type { CheckContext, Finding } from '../check.ts'

/** As long as this, what is now has to be seen before it is judged; by Prometheus longer, its readings are fewer. */
const SEEN_MS = { live: 60_000, history: 240_000 } as const
/** How long a check of this layer may take, in seconds: it waits until enough has been seen. */
export const PERFORMANCE_SECONDS = 300
const LOOK_MS = 500

/** What a check of the performance layer compares with; `said` goes with its detail. */
export interface Ready {
  readonly comparing: Comparing
  readonly said: string
}

/**
 * The baseline to compare with, once enough was seen since the last operation that wrote the table or changed the flag.
 * A finding instead: there is nothing to compare with, or it may not be judged by.
 */
export async function comparable(context: CheckContext): Promise<Ready | Finding> {
  const baseline = await chosen(context)
  if ('verdict' in baseline) return baseline
  const { run, rollout, parts, signal } = context
  const { from, beside } = await windowOf(run.database.state, rollout.name, baseline.endedAt)
  const until = from + SEEN_MS[baseline.measured]
  if (Date.now() < until)
    run.step(`reads until ${new Date(until).toISOString()} what is now, to compare with the baseline`)
  while (Date.now() < until && run.asked() === 'go-on' && !signal.aborted) {
    await delay(Math.min(LOOK_MS, Math.max(1, until - Date.now())))
  }
  const { release, id, warnings } = baseline
  const said = [
    `baseline ${id}${release === null ? '' : ` of ${release}`}${baseline.oneRunOnly ? ', given to this run' : ''}`,
    ...warnings,
    ...(beside === null ? [] : [`${beside} runs now, its load is judged too`]),
  ].join('; ')
  const comparing = { signals: parts.signals, rollout, environment: parts.environment, baseline, from }
  return { comparing, said }
}

async function chosen({ run, rollout, facts, parts }: CheckContext): Promise<Baseline | Finding> {
  const wanted = ValidationParameters.parse(run.operation.parameters).baseline
  const id = wanted ?? facts.baseline?.id
  const use = useOf(rollout, parts.environment)
  const baseline = id === undefined ? null : await readBaseline(run.database.state, use, id)
  if (baseline === null) {
    return inconclusive(
      wanted === undefined ? 'there is no baseline: take one (sti baseline)' : `there is no baseline ${wanted}`,
    )
  }
  if (baseline.unusable.length === 0) return baseline
  return inconclusive(`baseline ${baseline.id} may not be judged by: ${baseline.unusable.join('; ')}`)
}

export function inconclusive(detail: string): Finding {
  return { verdict: 'inconclusive', value: null, limit: null, detail }
}
