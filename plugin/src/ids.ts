import { config } from '@grafana/runtime'

export const APP_ID = 'sti-rollout-app'
export const DATASOURCE_ID = 'sti-rollout-datasource'
export const PANEL_ID = 'sti-rollout-panel'
export const DASHBOARD_UID = 'sti-rollout-monitoring'

const ROOT = `/a/${APP_ID}`

/** Addresses of the app's pages, as Grafana's router knows them: without the sub-path Grafana may be served under. */
export const to = {
  rollouts: () => `${ROOT}/rollouts`,
  rollout: (environment: string, rollout: string) =>
    `${ROOT}/rollouts/${encodeURIComponent(environment)}/${encodeURIComponent(rollout)}`,
  operation: (environment: string, rollout: string, id: number) =>
    `${to.rollout(environment, rollout)}/operations/${id}`,
  validation: (environment: string, rollout: string) => `${to.rollout(environment, rollout)}/validation`,
  readiness: (environment: string, rollout: string) => `${to.rollout(environment, rollout)}/readiness`,
  columnDrop: (environment: string, rollout: string) => `${to.rollout(environment, rollout)}/column-drop`,
  incidents: (environment: string, rollout: string) => `${to.rollout(environment, rollout)}/incidents`,
  allIncidents: () => `${ROOT}/incidents`,
  allReadiness: () => `${ROOT}/readiness`,
  rollback: () => `${ROOT}/rollback`,
  runbook: () => `${ROOT}/runbook`,
  configuration: () => `${ROOT}/configuration`,
}

/** The same address for a plain link, which needs the sub-path. */
export const href = (path: string) => `${config.appSubUrl ?? ''}${path}`
