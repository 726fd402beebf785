import type { ConditionReading, RollbackScope, Severity } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'

/** A request for a decision, from an alert or from the agent's own guard. */
export interface DecisionRequest {
  readonly source: 'alert' | 'guard'
  /** Null: not an STI rule. */
  readonly rule: {
    readonly name: string
    readonly severity: Severity
    readonly scope: RollbackScope | null
    readonly opensIncident: boolean
  } | null
  readonly status: 'firing' | 'resolved'
  /** NoData or Error if the alert fires because the rule could not be evaluated; null: its condition is true. */
  readonly evaluationFailure: string | null
  /** The label environment; null: missing. */
  readonly environment: string | null
  /** The label sti_rollback as received. */
  readonly scope: string | null
  readonly change: string | null
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The same alert has been received as resolved before. */
  readonly seenResolved: boolean
}

/** The current state of the agent and the rollout. */
export interface DecisionContext {
  readonly now: number
  readonly environment: string
  /** Null: the alert is for the environment as a whole. */
  readonly rollout: 'known' | 'unknown' | null
  /** The active change, such as flag-12 or backfill-7; null: none, so there is nothing to roll back. */
  readonly activeChange: string | null
  readonly reading: ConditionReading | null
  /** Scopes of automaticRollback in the rollout file. */
  readonly automaticScopes: readonly string[]
  /** Scopes that the editor level may roll back. */
  readonly editorScopes: readonly string[]
  /** True if automatic rollback is armed; null: the database has not been read since the agent started. */
  readonly armed: boolean | null
  /** `until … by …: reason` while automatic rollback is paused. */
  readonly pauseDescription: string | null
  /** What a validation of the last minute says about the same condition, if it did not call it a fault. */
  readonly validationRemark: string | null
  /** True if this rollout, rule and change have been rolled back. */
  rolledBack(change: string): boolean
}

export type DecisionAction = 'roll-back' | 'incident' | 'record'

export interface AlertDecision {
  readonly action: DecisionAction
  readonly scope: RollbackScope | null
  /** Why it rolls back, or why not; the most important reason first. */
  readonly reasons: readonly string[]
}

/** The maximum age of an alert that the agent trusts without a reading of its own. */
export const MAX_ALERT_AGE_MS = 300_000
/** The maximum difference between the sender's clock and the agent's. */
export const MAX_CLOCK_SKEW_MS = 60_000

/**
 * Decides what to do about an alert or a finding of the guard; pure. It rolls back only if there is no objection. Otherwise
 * it opens an incident, or only records the alert.
 */
export function decide(request: DecisionRequest, context: DecisionContext): AlertDecision {
  const record = (reason: string): AlertDecision => ({ action: 'record', scope: null, reasons: [reason] })
  const { rule } = request
  if (rule === null) return record('The alert does not match any STI rule.')
  if (request.environment === null) return record('The alert has no environment label.')
  if (request.environment !== context.environment)
    return record(`The alert is for environment ${request.environment}, but this agent serves ${context.environment}.`)
  if (context.rollout === 'unknown') return record('The alert is for a rollout that this agent does not have.')
  if (request.status === 'resolved')
    return record(
      'The alert is resolved. That closes no incident, since a series that disappears also resolves an alert.',
    )
  if (request.evaluationFailure !== null)
    return record(
      `The rule could not be evaluated (${request.evaluationFailure}), so its condition is not known to be true.`,
    )
  if (request.startedAt > context.now + MAX_CLOCK_SKEW_MS) return record('The alert starts in the future.')
  if (!rule.opensIncident) return record('Alerts of this rule open no incident.')
  const objections = objectionsToRollback(request, context)
  const remark =
    context.reading?.state === 'unhealthy' && context.validationRemark !== null ? [context.validationRemark] : []
  if (rule.scope !== null && objections.length === 0)
    return { action: 'roll-back', scope: rule.scope, reasons: [...rollbackReasons(request, context), ...remark] }
  return {
    action: 'incident',
    scope: null,
    reasons: [
      ...(objections.length > 0 ? objections : ['This alert does not trigger an automatic rollback.']),
      ...remark,
    ],
  }
}

/** Every reason not to roll back, for a rule that may roll back. */
function objectionsToRollback(request: DecisionRequest, context: DecisionContext): string[] {
  const scope = request.rule?.scope ?? null
  if (scope === null) return []
  const { reading } = context
  const fromAlert = request.source === 'alert'
  const unknownReading = reading === null || reading.state === 'unknown'
  return [
    fromAlert &&
      request.scope !== scope &&
      `The label sti_rollback is ${request.scope ?? 'missing'}, but the rule of this name has ${scope}.`,
    fromAlert &&
      !context.editorScopes.includes(scope) &&
      `Rolling back ${scope} requires more than the editor level, and any editor can send this alert.`,
    !context.automaticScopes.includes(scope) &&
      `The rollout file does not allow an automatic rollback of ${scope} (automaticRollback).`,
    context.armed === false &&
      `Automatic rollback is paused${context.pauseDescription === null ? '' : ` ${context.pauseDescription}`}.`,
    context.armed === null &&
      'The agent does not know if automatic rollback is paused, since it has not read the database yet.',
    request.change !== null && context.rolledBack(request.change) && 'This change has already been rolled back.',
    context.activeChange === null && 'The flag is off and no backfill is running, so there is nothing to roll back.',
    context.activeChange !== null &&
      request.change !== context.activeChange &&
      `The alert is for ${request.change ?? 'no specific change'}, but the active change is ${context.activeChange}.`,
    reading?.state === 'healthy' && `The agent’s own reading is healthy: ${reading.sentence}`,
    unknownReading && request.seenResolved && 'The alert was resolved before, and the agent has no reading of its own.',
    unknownReading &&
      context.now - request.startedAt > MAX_ALERT_AGE_MS &&
      `The alert started ${formatDuration((context.now - request.startedAt) / 1_000)} ago, and the agent has no current reading of its own.`,
  ].filter((reason) => reason !== false)
}

function rollbackReasons(request: DecisionRequest, { activeChange, reading }: DecisionContext): string[] {
  return [
    request.source === 'guard'
      ? `The agent’s own reading is unhealthy: ${reading!.sentence}`
      : `${request.rule!.name} fires for ${request.change}.`,
    ...(request.source === 'guard'
      ? []
      : [
          reading === null
            ? 'The agent has no reading of its own.'
            : `The agent’s own reading is ${reading.state}: ${reading.sentence}`,
        ]),
    `The active change is ${activeChange}, and automatic rollback is armed.`,
  ]
}
