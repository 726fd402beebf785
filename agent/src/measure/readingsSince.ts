import type { BaselineMethod } from '../contract/index.ts'
import type { TimedValue } from '../signals/prometheusClient.ts'
import type { Signals } from '../signals/signals.ts'

/** Prometheus scrapes no oftener, as a rule; more would only repeat values. */
export const HISTORY_STEP_SECONDS = 15

/**
 * A signal since an instant, measured the way that the baseline was: by the agent's own readings, or by the same
 * question to Prometheus. Only those compare: a percentile of five seconds is not one of half a minute.
 * @throws one sentence, when Prometheus does not answer
 */
export async function fetchReadingsSince(
  signals: Signals,
  source: { readonly rollout: string; readonly environment: string; readonly measured: BaselineMethod },
  signal: string,
  from: number,
): Promise<readonly TimedValue[]> {
  if (source.measured === 'live') return signals.recent.readings(source.rollout, signal, from)
  const promql = signals.history?.queries(source.rollout, source.environment).get(signal)
  if (!signals.history || promql === undefined) return []
  const until = Date.now()
  if (until - from < HISTORY_STEP_SECONDS * 1000) return []
  const range = { from, until, stepSeconds: HISTORY_STEP_SECONDS }
  return await signals.history.readRange(promql, range)
}
