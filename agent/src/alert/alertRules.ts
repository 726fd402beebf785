import type { RollbackScope, Severity } from '../contract/index.ts'

/** The policy of one alert rule. */
export interface AlertRule {
  readonly severity: Severity
  /** What the rule may roll back automatically; null: nothing. */
  readonly scope: RollbackScope | null
  /** False for rules about incidents and for the watchdog. */
  readonly opensIncident: boolean
}

const critical = (scope: RollbackScope | null = null): AlertRule => ({
  severity: 'critical',
  scope,
  opensIncident: true,
})
const warning: AlertRule = { severity: 'warning', scope: null, opensIncident: true }
const info: AlertRule = { severity: 'info', scope: null, opensIncident: true }
const withoutIncident = (severity: Severity): AlertRule => ({ severity, scope: null, opensIncident: false })

/** Every rule of alerts/, by name. The policy comes from here only: an alert's own labels are not trusted. */
export const ALERT_RULES = {
  StiApiLatencyHigh: critical('flag'),
  StiApiErrorsHigh: critical('flag'),
  StiDiscrepancyAfterCoverage: critical('flag'),
  StiErrorBudgetExceeded: critical(),
  StiFlagInconsistent: critical(),
  StiFlagOffNotStored: critical(),
  StiAgentDown: critical(),
  StiBackfillStalled: warning,
  StiBackfillThrottled: warning,
  StiQueryTimeHigh: warning,
  StiHostUsageHigh: warning,
  StiReplicationLagHigh: warning,
  StiLongTransaction: warning,
  StiValidationOverdue: warning,
  StiControlGroupMissing: warning,
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
