import type { Scope, Severity } from '../contract/index.ts'

/** An alert of ours, by its name. */
export interface Rule {
  readonly severity: Severity
  /** What it may roll back by itself; null: nothing. */
  readonly scope: Scope | null
  /** Whether it opens an incident. Those that speak of incidents and of the path itself do not. */
  readonly opens: boolean
}

const critical = (scope: Scope | null = null): Rule => ({ severity: 'critical', scope, opens: true })
const warning: Rule = { severity: 'warning', scope: null, opens: true }
const info: Rule = { severity: 'info', scope: null, opens: false }
const silent = (severity: Severity): Rule => ({ severity, scope: null, opens: false })

/** Every rule of alerts/. What an alert says of itself beyond its name is never taken for what its rule may do. */
export const RULES = {
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
  StiAutomaticRollbackHeld: warning,
  StiOperationFailed: warning,
  StiOperationStarted: info,
  StiOperationSucceeded: info,
  StiOperationCancelled: info,
  StiFlagChanged: info,
  StiCoverageReached: info,
  StiIncidentOpen: silent('critical'),
  StiIncidentEscalation: silent('critical'),
  StiWatchdog: silent('info'),
} as const satisfies Record<string, Rule>
export type RuleName = keyof typeof RULES

export function ruleNamed(name: string): Rule | null {
  return Object.hasOwn(RULES, name) ? RULES[name as RuleName] : null
}
