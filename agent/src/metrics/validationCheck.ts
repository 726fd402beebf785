import { perRollout, type MetricFamily } from './metricFamily.ts'

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
