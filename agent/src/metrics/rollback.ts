import { perRollout, toSamples, type MetricFamily } from './metricFamily.ts'

export const rollbackReadiness: MetricFamily = {
  name: 'sti_rollback_ready',
  type: 'gauge',
  help: '1 if this scope can be rolled back now.',
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
  help: 'Estimated duration of a rollback of this scope.',
  labels: ['rollout', 'scope'],
  *samples({ rollouts }) {
    for (const { rollout, rollbackReady } of rollouts) {
      for (const { scope, estimatedSeconds } of rollbackReady) yield* toSamples({ rollout, scope }, estimatedSeconds)
    }
  },
}

export const rollbackLastVerified: MetricFamily = {
  name: 'sti_rollback_verified_timestamp_seconds',
  type: 'gauge',
  help: 'When this scope was last rolled back, or rehearsed with the current rollout file and table structure, in seconds since 1970.',
  labels: ['rollout', 'scope'],
  *samples({ rollouts }) {
    for (const { rollout, rollbackReady } of rollouts) {
      for (const { scope, verifiedAt } of rollbackReady)
        yield* toSamples({ rollout, scope }, verifiedAt === null ? null : Date.parse(verifiedAt) / 1000)
    }
  },
}

export const rollbackTotals: MetricFamily = {
  name: 'sti_rollbacks_total',
  type: 'counter',
  help: 'Rollbacks, by scope and cause.',
  labels: ['rollout', 'scope', 'cause'],
  *samples({ rollouts }) {
    for (const { rollout, rollbacks } of rollouts) {
      for (const { scope, cause, count } of rollbacks) yield { labels: { rollout, scope, cause }, value: count }
    }
  },
}

export const backupAvailable = perRollout(
  'sti_backup_available',
  '1 if the query of the rollout file finds a backup that is recent enough; 0 also if that is unknown.',
  ({ backup }) => (backup === null ? null : Number(backup.available)),
)

export const backupExpected = perRollout(
  'sti_backup_expected',
  '1 if the rollout file has a backup query or PostgreSQL archives WAL. Without either, a missing backup alerts nobody.',
  ({ backup }) => (backup === null ? null : Number(backup.expected)),
)

export const backupAge = perRollout(
  'sti_backup_age_seconds',
  'Age of the last backup, from the query of the rollout file.',
  ({ backup }) => backup?.ageSeconds,
)

export const rehearsalSuccess = perRollout(
  'sti_rehearsal_success_timestamp_seconds',
  'When the last rehearsal with the current rollout file and table structure succeeded, in seconds since 1970.',
  ({ rehearsedAt }) => (rehearsedAt === null ? null : rehearsedAt / 1000),
)

export const automaticRollbackArmed = perRollout(
  'sti_automatic_rollback_armed',
  '1 if an alert can start a rollback automatically, 0 while that is paused.',
  ({ automaticRollbackArmed }) => (automaticRollbackArmed === null ? null : Number(automaticRollbackArmed)),
)
