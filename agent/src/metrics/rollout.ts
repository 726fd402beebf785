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

export const rolloutFileVersions = perRollout(
  'sti_rollout_file_versions',
  'Versions of the rollout file that the agents of this database use now. Above 1: agents differ, as in a rolling restart.',
  ({ fileVersions }) => fileVersions,
)

export const rolloutCoverage = perRollout(
  'sti_coverage_ratio',
  'Rows with a correct type / all rows, from the last validation.',
  ({ coverage }) => coverage,
)
