import { buildDashboard, buildFleetDashboard } from './dashboard.ts'

export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string
  readonly text: string
}

/** The files that the code in this folder generates. */
export function generatedFiles(): GeneratedFile[] {
  return [toFile('sti-rollout-monitoring', buildDashboard()), toFile('sti-rollout-fleet', buildFleetDashboard())]
}

const toFile = (name: string, dashboard: unknown): GeneratedFile => ({
  path: `plugin/src/dashboards/${name}.json`,
  text: `${JSON.stringify(dashboard, null, 2)}\n`,
})
