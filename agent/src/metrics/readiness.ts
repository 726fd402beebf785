import type { MetricFamily } from './metricFamily.ts'

export const readinessRatio: MetricFamily = {
  name: 'sti_readiness_ratio',
  type: 'gauge',
  help: 'Ready items of a list of the definition of done / all of them, rounded down.',
  labels: ['rollout', 'list'],
  *samples({ rollouts }) {
    for (const { rollout, readiness } of rollouts) {
      for (const [list, value] of Object.entries(readiness?.ratios ?? {})) yield { labels: { rollout, list }, value }
    }
  },
}

/** Roles only: no name, phone or e-mail address. */
export const contactConfirmed: MetricFamily = {
  name: 'sti_contact_confirmed',
  type: 'gauge',
  help: '1 when the contact of this role has been confirmed, and that has not expired.',
  labels: ['rollout', 'role'],
  *samples({ rollouts }) {
    for (const { rollout, readiness } of rollouts) {
      for (const { role, confirmed } of readiness?.contacts ?? [])
        yield { labels: { rollout, role }, value: Number(confirmed) }
    }
  },
}
