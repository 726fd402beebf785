import { perRollout, toSamples, type MetricFamily } from './metricFamily.ts'

export const rollbackReadiness: MetricFamily = {
  name: 'sti_rollback_ready',
  type: 'gauge',
  help: '1 when this scope could be rolled back now.',
  labels: ['rollout', 'scope'],
  *samples({ rollouts }) {
    for (const { rollout, rollbackReady } of rollouts) {
      for (const { scope, ready } of rollbackReady) yield { labels: { rollout, scope }, value: Number(ready) }
    }
  },
}

export const rollbackEstimate: MetricFamily = {
  name: 'sti_rollback_estimated_seconds',
  type: 'gauge',
  help: 'How long a rollback of this scope would take.',
  labels: ['rollout', 'scope'],
  *samples({ rollouts }) {
    for (const { rollout, rollbackReady } of rollouts) {
      for (const { scope, estimatedSeconds } of rollbackReady) yield* toSamples({ rollout, scope }, estimatedSeconds)
    }
  },
}

export const rollbackLastProved: MetricFamily = {
  name: 'sti_rollback_proved_timestamp_seconds',
  type: 'gauge',
  help: 'When this scope was last taken back, or rehearsed with this file and this structure of the table.',
  labels: ['rollout', 'scope'],
  *samples({ rollouts }) {
    for (const { rollout, rollbackReady } of rollouts) {
      for (const { scope, provedAt } of rollbackReady)
        yield* toSamples({ rollout, scope }, provedAt === null ? null : Date.parse(provedAt) / 1000)
    }
  },
}

export const rollbackTotals: MetricFamily = {
  name: 'sti_rollbacks_total',
  type: 'counter',
  help: 'Rollbacks by scope and what caused them.',
  labels: ['rollout', 'scope', 'cause'],
  *samples({ rollouts }) {
    for (const { rollout, rollbacks } of rollouts) {
      for (const { scope, cause, count } of rollbacks) yield { labels: { rollout, scope, cause }, value: count }
    }
  },
}

export const backupAvailable = perRollout(
  'sti_backup_available',
  "1 when the rollout file's query finds a backup that is young enough; not known counts as 0.",
  ({ backup }) => (backup === null ? null : Number(backup.available)),
)

export const backupAge = perRollout(
  'sti_backup_age_seconds',
  "Age of the last backup, as the rollout file's query gives it.",
  ({ backup }) => backup?.ageSeconds,
)

export const rehearsalSuccess = perRollout(
  'sti_rehearsal_success_timestamp_seconds',
  'When the last rehearsal of this file and this structure of the table ended well.',
  ({ rehearsedAt }) => (rehearsedAt === null ? null : rehearsedAt / 1000),
)

export const automaticRollbackArmed = perRollout(
  'sti_automatic_rollback_armed',
  '1 when an alert may roll back without a person, 0 while that is held.',
  ({ automaticRollbackArmed }) => (automaticRollbackArmed === null ? null : Number(automaticRollbackArmed)),
)
