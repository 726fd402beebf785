import type { MetricFamily } from './metricFamily.ts'

/** Read from memory: an alert must not end because the database is unavailable. */
export const condition: MetricFamily = {
  name: 'sti_alert_condition',
  type: 'gauge',
  help: '1 if the agent itself finds the condition of an alert rule unhealthy, 0 if healthy; absent if unknown. The label change names the change that the rule applies to now.',
  labels: ['rollout', 'rule', 'change'],
  *samples({ allRollouts }) {
    for (const { rollout, conditions } of allRollouts) {
      for (const { rule, change, unhealthy } of conditions)
        yield { labels: { rollout, rule, change }, value: Number(unhealthy) }
    }
  },
}

export const watchdogSeen: MetricFamily = {
  name: 'sti_alert_path_seen_timestamp_seconds',
  type: 'gauge',
  help: 'When the watchdog alert last reached this agent, in seconds since 1970; absent if it has not since the agent started.',
  labels: [],
  *samples({ watchdogSeenAt }) {
    if (watchdogSeenAt !== null) yield { labels: {}, value: watchdogSeenAt / 1000 }
  },
}
