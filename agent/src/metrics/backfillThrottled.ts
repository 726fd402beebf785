import { THROTTLE_REASONS } from '../contract/limits.ts'
import type { MetricFamily } from './metricFamily.ts'
import type { RolloutReadings } from './metricsSource.ts'

export const backfillThrottled: MetricFamily = {
  name: 'sti_backfill_throttled',
  type: 'gauge',
  help: `1 for the reason why the last backfill waits now, 0 for every other reason: ${THROTTLE_REASONS.join(', ')}.`,
  labels: ['rollout', 'reason'],
  *samples({ rollouts }) {
    for (const { rollout, backfill } of rollouts) {
      if (!backfill) continue
      const current = throttleReason(backfill)
      for (const reason of THROTTLE_REASONS) yield { labels: { rollout, reason }, value: reason === current ? 1 : 0 }
    }
  },
}

function throttleReason(backfill: NonNullable<RolloutReadings['backfill']>): string | null {
  if (backfill.progress.throttled === null) return null
  const { throttledBy } = backfill
  return throttledBy && THROTTLE_REASONS.includes(throttledBy) ? throttledBy : 'other'
}
