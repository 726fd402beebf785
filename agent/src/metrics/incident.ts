import type { MetricFamily, HistogramFamily, MetricSample } from './metricFamily.ts'

/** Read from memory: an incident does not end because the database is unavailable. */
export const openSeconds: MetricFamily = {
  name: 'sti_incident_open_seconds',
  type: 'gauge',
  help: 'How long the oldest unacknowledged incident has been open, by severity and by the escalation level it has reached (0 to 4); without a rollout for incidents of the whole environment.',
  labels: ['rollout', 'severity', 'escalation'],
  samples({ allRollouts: all }) {
    const now = Date.now()
    const oldest = new Map<string, MetricSample>()
    for (const { rollout, severity, openedAt, escalationSeconds: levels } of all.flatMap(
      ({ incidents }) => incidents,
    )) {
      const seconds = Math.max(0, now - openedAt) / 1000
      const escalation = String(levels.filter((level) => seconds >= level).length)
      const key = JSON.stringify([rollout, severity, escalation])
      if (seconds >= (oldest.get(key)?.value ?? 0))
        oldest.set(key, { labels: { rollout: rollout ?? '', severity, escalation }, value: seconds })
    }
    return oldest.values()
  },
}

export const acknowledgementSeconds: HistogramFamily = {
  name: 'sti_incident_acknowledgement_seconds',
  type: 'histogram',
  help: 'Time from the opening of an incident to its acknowledgement.',
  labels: ['rollout', 'severity'],
  buckets: [15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400],
}
