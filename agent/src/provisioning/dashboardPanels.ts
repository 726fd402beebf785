export const DASHBOARD_UID = 'sti-rollout-monitoring'
/** The dashboard of a rollout in many databases. */
export const FLEET_DASHBOARD_UID = 'sti-rollout-fleet'

/** The titles of the dashboard's panels in order. The id of a panel is its position, beginning with 1: append new ones. */
export const DASHBOARD_PANELS = [
  'STI Progress Tracker',
  'API Performance Monitor',
  'Database Health Checker',
  'System Resource Monitor',
  'Error Rate Tracker',
  'Data Integrity Validator',
  'Feature Flag Status',
  'Rollback Readiness',
] as const
export type DashboardPanelTitle = (typeof DASHBOARD_PANELS)[number]
