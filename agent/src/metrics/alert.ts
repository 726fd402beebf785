import type { MetricFamily } from './metricFamily.ts'

/** From memory: an alert must not end because the database is away. */
export const condition: MetricFamily = {
  name: 'sti_alert_condition',
  type: 'gauge',
  help: '1 while the agent itself reads that what the rule is about is not healthy, 0 while it is; absent while that is unknown. Of each rule the one change that it is about now.',
  labels: ['rollout', 'rule', 'change'],
  *samples({ allRollouts: all }) {
    for (const { rollout, conditions } of all) {
      for (const { rule, change, unhealthy } of conditions)
        yield { labels: { rollout, rule, change }, value: Number(unhealthy) }
    }
  },
}

export const watchdogSeen: MetricFamily = {
  name: 'sti_alert_path_seen_timestamp_seconds',
  type: 'gauge',
  help: 'When the watchdog alert last reached this agent, in seconds since 1970; absent while it has not since the agent started.',
  labels: [],
  *samples({ watchdogSeenAt: alertPathSeenAt }) {
    if (alertPathSeenAt !== null) yield { labels: {}, value: alertPathSeenAt / 1000 }
  },
}
