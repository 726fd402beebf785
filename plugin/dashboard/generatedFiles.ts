import { buildDashboard } from './dashboard.ts'

export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

/** The files that this folder's code writes; a check that they are not stale compares their text. */
export function generatedFiles(): GeneratedFile[] {
  return [
    {
      path: 'plugin/src/dashboards/sti-rollout-monitoring.json',
      text: `${JSON.stringify(buildDashboard(), null, 2)}\n`,
    },
  ]
}
