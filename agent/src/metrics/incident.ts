import type { MetricFamily, HistogramFamily, MetricSample } from './metricFamily.ts'

/** From memory: an incident is not over because the database is away. */
export const openSeconds: MetricFamily = {
  name: 'sti_incident_open_seconds',
  type: 'gauge',
  help: 'How long the oldest incident that nobody has acknowledged has been open, by severity and by the level of escalation (0 to 4) it has reached; without rollout: of the environment as a whole.',
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
  help: 'From the opening of an incident to its acknowledgement.',
  labels: ['rollout', 'severity'],
  buckets: [15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400],
}
