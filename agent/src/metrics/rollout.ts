import { perRollout, type MetricFamily } from './metricFamily.ts'

export const rolloutStage: MetricFamily = {
  name: 'sti_rollout_stage',
  type: 'gauge',
  help: '1 for the current stage of the rollout.',
  labels: ['rollout', 'stage'],
  *samples({ rollouts }) {
    for (const { rollout, stage } of rollouts) yield { labels: { rollout, stage }, value: 1 }
  },
}

export const rolloutCoverage = perRollout(
  'sti_coverage_ratio',
  'Rows with a correct type / all rows, from the last validation.',
  ({ coverage }) => coverage,
)
