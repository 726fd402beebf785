import { config } from '@grafana/runtime'

export const APP_ID = 'sti-rollout-app'
export const DATASOURCE_ID = 'sti-rollout-datasource'
export const PANEL_ID = 'sti-rollout-panel'
export const DASHBOARD_UID = 'sti-rollout-monitoring'

const APP_ROOT = `/a/${APP_ID}`

/** The paths of the app's pages for Grafana's router, without the sub-path that Grafana may be served under. */
export const routes = {
  rollouts: () => `${APP_ROOT}/rollouts`,
  rollout: (environment: string, rollout: string) =>
    `${APP_ROOT}/rollouts/${encodeURIComponent(environment)}/${encodeURIComponent(rollout)}`,
  operation: (environment: string, rollout: string, id: number) =>
    `${routes.rollout(environment, rollout)}/operations/${id}`,
  validation: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/validation`,
  readiness: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/readiness`,
  columnDrop: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/column-drop`,
  incidents: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/incidents`,
  allIncidents: () => `${APP_ROOT}/incidents`,
  allReadiness: () => `${APP_ROOT}/readiness`,
  rollback: () => `${APP_ROOT}/rollback`,
  runbook: () => `${APP_ROOT}/runbook`,
  configuration: () => `${APP_ROOT}/configuration`,
}

/** A path for a plain link, which needs the sub-path. */
export const withAppSubUrl = (path: string) => `${config.appSubUrl ?? ''}${path}`
