import { config } from '@grafana/runtime'

export const APP_ID = 'sti-rollout-app'
export const DATASOURCE_ID = 'sti-rollout-datasource'
export const PANEL_ID = 'sti-rollout-panel'
export const DASHBOARD_UID = 'sti-rollout-monitoring'
export const FLEET_DASHBOARD_UID = 'sti-rollout-fleet'

/** The time range around an event: what led to it, and what followed. */
export const MS_BEFORE_EVENT = 10 * 60_000
export const MS_AFTER_EVENT = 20 * 60_000

const APP_ROOT = `/a/${APP_ID}`

/** The paths of the app's pages for Grafana's router, without the sub-path that Grafana may be served under. */
export const routes = {
  rollouts: () => `${APP_ROOT}/rollouts`,
  rollout: (environment: string, rollout: string) =>
    `${APP_ROOT}/rollouts/${encodeURIComponent(environment)}/${encodeURIComponent(rollout)}`,
  /** The overview with the time range of its panels around an event. */
  rolloutAt: (environment: string, rollout: string, instant: string) => {
    const at = Date.parse(instant)
    return `${routes.rollout(environment, rollout)}?from=${at - MS_BEFORE_EVENT}&to=${at + MS_AFTER_EVENT}`
  },
  /** The tables of a rollout with several. */
  tables: (environment: string, rollout: string) =>
    `${APP_ROOT}/tables/${encodeURIComponent(environment)}/${encodeURIComponent(rollout)}`,
  operations: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/operations`,
  operation: (environment: string, rollout: string, id: number) => `${routes.operations(environment, rollout)}/${id}`,
  validation: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/validation`,
  readiness: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/readiness`,
  columnDrop: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/column-drop`,
  incidents: (environment: string, rollout: string) => `${routes.rollout(environment, rollout)}/incidents`,
  allIncidents: () => `${APP_ROOT}/incidents`,
  allReadiness: () => `${APP_ROOT}/readiness`,
  rollback: () => `${APP_ROOT}/rollback`,
  runbook: () => `${APP_ROOT}/runbook`,
  /** The entry of an alert rule, whose commands name the environment and the rollout. */
  runbookEntry: (rule: string, environment: string, rollout: string | null) =>
    `${APP_ROOT}/runbook?${new URLSearchParams({ environment, ...(rollout === null ? {} : { rollout }) })}#${rule.toLowerCase()}`,
  configuration: () => `${APP_ROOT}/configuration`,
}

/** A path for a plain link, which needs the sub-path. */
export const withAppSubUrl = (path: string) => `${config.appSubUrl ?? ''}${path}`
