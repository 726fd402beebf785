import type { BaselineMethod } from '../contract/index.ts'
import type { TimedValue } from '../signals/prometheusClient.ts'
import type { Signals } from '../signals/signals.ts'

/** The usual scrape interval of Prometheus: a smaller step would only repeat values. */
export const HISTORY_STEP_SECONDS = 15

/**
 * The readings of a signal since an instant, measured in the same way as the baseline: the agent's own readings, or the
 * same Prometheus query. Other readings do not compare: a percentile of 5 s is not a percentile of 30 s.
 * @throws Error with one sentence if Prometheus does not answer
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
