import { buildDashboard } from './dashboard.ts'

export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly text: string
}

/** The files that the code in this folder generates. */
export function generatedFiles(): GeneratedFile[] {
  return [
    {
      path: 'plugin/src/dashboards/sti-rollout-monitoring.json',
      text: `${JSON.stringify(buildDashboard(), null, 2)}\n`,
    },
  ]
}
