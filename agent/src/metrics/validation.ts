import { Verdict } from '../contract/enums.ts'
import { perRollout, type MetricFamily } from './metricFamily.ts'

export const validationTotals: MetricFamily = {
  name: 'sti_validations_total',
  type: 'counter',
  help: 'Validations that have ended, by verdict.',
  labels: ['rollout', 'verdict'],
  *samples({ rollouts }) {
    for (const { rollout, validationsByVerdict } of rollouts) {
      for (const verdict of Verdict.options) {
        yield { labels: { rollout, verdict }, value: validationsByVerdict[verdict] ?? 0 }
      }
    }
  },
}

export const validationCompleted = perRollout(
  'sti_validation_completed_timestamp_seconds',
  'When the last validation ended, in seconds since 1970.',
  ({ validationEndedAt }) => (validationEndedAt === null ? null : Date.parse(validationEndedAt) / 1000),
)

export const validationDue = perRollout(
  'sti_validation_due_timestamp_seconds',
  'When the next validation starts automatically, in seconds since 1970; absent if none is scheduled.',
  ({ validationDueAt }) => (validationDueAt === null ? null : validationDueAt / 1000),
)

export const validationInterval = perRollout(
  'sti_validation_interval_seconds',
  'Interval between automatic validations, from the rollout file.',
  ({ validationIntervalSeconds }) => validationIntervalSeconds,
)

export const checkVerdicts: MetricFamily = {
  name: 'sti_check_verdict',
  type: 'gauge',
  help: '1 for the last verdict of each check.',
  labels: ['rollout', 'check', 'layer', 'verdict'],
  *samples({ rollouts }) {
    for (const { rollout, checks } of rollouts) {
      for (const { check, layer, verdict } of checks) {
        yield { labels: { rollout, check, layer, verdict }, value: 1 }
      }
    }
  },
}

export const checkDiscrepancies: MetricFamily = {
  name: 'sti_check_discrepancies',
  type: 'gauge',
  help: 'Rows that violate the check; absent if the check was inconclusive.',
  labels: ['rollout', 'check', 'layer'],
  *samples({ rollouts }) {
    for (const { rollout, checks } of rollouts) {
      for (const { check, layer, verdict, discrepancies } of checks) {
        if (verdict === 'pass' || verdict === 'fail') yield { labels: { rollout, check, layer }, value: discrepancies }
      }
    }
  },
}

export const integrityScoreRatio = perRollout(
  'sti_integrity_score_ratio',
  'Passed checks / all checks of the integrity layer.',
  ({ integrityScore }) => integrityScore,
)
