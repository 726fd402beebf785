export const DASHBOARD_UID = 'sti-rollout-monitoring'

/** Of the plan, in its order; the dashboard has exactly these, and each one's id is its place, from 1. */
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
