import type { MetricFamily } from './metricFamily.ts'

export const readinessRatio: MetricFamily = {
  name: 'sti_readiness_ratio',
  type: 'gauge',
  help: 'Ready items / all items of a list of the definition of done, rounded down.',
  labels: ['rollout', 'list'],
  *samples({ rollouts }) {
    for (const { rollout, readiness } of rollouts) {
      for (const [list, value] of Object.entries(readiness?.ratios ?? {})) yield { labels: { rollout, list }, value }
    }
  },
}

/** Only the role is a label: no name, phone number or email address. */
export const contactConfirmed: MetricFamily = {
  name: 'sti_contact_confirmed',
  type: 'gauge',
  help: '1 if the contact for this role is confirmed and the confirmation has not expired.',
  labels: ['rollout', 'role'],
  *samples({ rollouts }) {
    for (const { rollout, readiness } of rollouts) {
      for (const { role, confirmed } of readiness?.contacts ?? [])
        yield { labels: { rollout, role }, value: Number(confirmed) }
    }
  },
}

export const contactExpires: MetricFamily = {
  name: 'sti_contact_expires_timestamp_seconds',
  type: 'gauge',
  help: 'When the confirmation of this contact expires or has expired, in seconds since 1970; absent if nobody has confirmed the contact.',
  labels: ['rollout', 'role'],
  *samples({ rollouts }) {
    for (const { rollout, readiness } of rollouts) {
      for (const { role, attestation } of readiness?.contacts ?? []) {
        if (attestation === null || attestation.withdrawnAt !== null) continue
        yield { labels: { rollout, role }, value: Date.parse(attestation.expiresAt) / 1000 }
      }
    }
  },
}
