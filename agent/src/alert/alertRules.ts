import type { RollbackScope, Severity } from '../contract/index.ts'

/** An alert of ours, by its name. */
export interface AlertRule {
  readonly severity: Severity
  /** What it may roll back by itself; null: nothing. */
  readonly scope: RollbackScope | null
  /** Whether it opens an incident. Those that speak of incidents and of the path itself do not. */
  readonly opensIncident: boolean
}

const critical = (scope: RollbackScope | null = null): AlertRule => ({
  severity: 'critical',
  scope,
  opensIncident: true,
})
const warning: AlertRule = { severity: 'warning', scope: null, opensIncident: true }
const info: AlertRule = { severity: 'info', scope: null, opensIncident: false }
const withoutIncident = (severity: Severity): AlertRule => ({ severity, scope: null, opensIncident: false })

/** Every rule of alerts/. What an alert says of itself beyond its name is never taken for what its rule may do. */
export const ALERT_RULES = {
  StiApiLatencyHigh: critical('flag'),
  StiApiErrorsHigh: critical('flag'),
  StiDiscrepancyAfterCoverage: critical('flag'),
  StiErrorBudgetExceeded: critical(),
  StiFlagInconsistent: critical(),
  StiAgentDown: critical(),
  StiBackfillStalled: warning,
  StiBackfillThrottled: warning,
  StiQueryTimeHigh: warning,
  StiHostUsageHigh: warning,
  StiReplicationLagHigh: warning,
  StiLongTransaction: warning,
  StiValidationOverdue: warning,
  StiRollbackNotReady: warning,
  StiContactUnconfirmed: warning,
  StiAutomaticRollbackPaused: warning,
  StiOperationFailed: warning,
  StiOperationStarted: info,
  StiOperationSucceeded: info,
  StiOperationCancelled: info,
  StiFlagChanged: info,
  StiCoverageReached: info,
  StiIncidentOpen: withoutIncident('critical'),
  StiIncidentEscalation: withoutIncident('critical'),
  StiWatchdog: withoutIncident('info'),
} as const satisfies Record<string, AlertRule>
export type AlertRuleName = keyof typeof ALERT_RULES

export function findAlertRule(name: string): AlertRule | null {
  return Object.hasOwn(ALERT_RULES, name) ? ALERT_RULES[name as AlertRuleName] : null
}
