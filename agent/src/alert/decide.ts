import type { ConditionReading, RollbackScope, Severity } from '../contract/index.ts'

/** What asks for a decision: an alert, or what the agent's own guard reads. */
export interface DecisionRequest {
  readonly source: 'alert' | 'guard'
  /** Null: no rule of ours. */
  readonly rule: {
    readonly name: string
    readonly severity: Severity
    readonly scope: RollbackScope | null
    readonly opensIncident: boolean
  } | null
  readonly status: 'firing' | 'resolved'
  /** Why it fires, where that is not the rule's own condition, such as NoData or Error; null: its condition. */
  readonly evaluationFailure: string | null
  /** The label environment; null: it has none. */
  readonly environment: string | null
  /** The label sti_rollback, as it was sent. */
  readonly scope: string | null
  readonly change: string | null
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The same alert has been seen resolved. */
  readonly seenResolved: boolean
}

/** What is so here and now. */
export interface DecisionContext {
  readonly now: number
  readonly environment: string
  /** Null: it names none, so that it is of the environment; unknown: it names one that this agent does not have. */
  readonly rollout: 'known' | 'unknown' | null
  /** What of ours is under way, such as flag-12 or backfill-7; null: nothing, so there is nothing to take back. */
  readonly activeChange: string | null
  readonly reading: ConditionReading | null
  /** Scopes that the rollout file lets start without a person. */
  readonly automaticScopes: readonly string[]
  /** Scopes that the level editor may roll back. */
  readonly editorScopes: readonly string[]
  /** Null: the database has not been read since the agent started. */
  readonly armed: boolean | null
  /** Who holds it until when, for people. */
  readonly holdDescription: string | null
  /** Whether one has run for this rollout, rule and change. */
  rolledBack(change: string): boolean
}

export type DecisionAction = 'roll-back' | 'incident' | 'record'

export interface AlertDecision {
  readonly action: DecisionAction
  readonly scope: RollbackScope | null
  /** What spoke for it, or what spoke against rolling back; the first one says it. */
  readonly reasons: readonly string[]
}

/** Without a reading of its own the agent believes an alert that began this long ago, and no older one. */
export const MAX_ALERT_AGE_MS = 300_000
/** Clocks may differ by so much. */
export const MAX_CLOCK_SKEW_MS = 60_000

/**
 * What is done about an alert, or about what the agent reads itself. Pure. It rolls back only when nothing speaks
 * against it: otherwise there is an incident, or nothing but the record.
 */
export function decide(request: DecisionRequest, context: DecisionContext): AlertDecision {
  const record = (reason: string): AlertDecision => ({ action: 'record', scope: null, reasons: [reason] })
  const { rule } = request
  if (rule === null) return record('It is of no rule of ours.')
  if (request.environment === null) return record('It has no label environment, so nobody knows what it is about.')
  if (request.environment !== context.environment)
    return record(`It is of ${request.environment}, and this agent serves ${context.environment}.`)
  if (context.rollout === 'unknown') return record('It names a rollout that this agent does not have.')
  if (request.status === 'resolved')
    return record('It is resolved, which closes no incident: that says a series ended, not that all is well.')
  if (request.evaluationFailure !== null)
    return record(
      `The rule could not be evaluated (${request.evaluationFailure}), so its condition is not known to be true.`,
    )
  if (request.startedAt > context.now + MAX_CLOCK_SKEW_MS) return record('It begins in the future.')
  if (!rule.opensIncident) return record('It is for people to know.')
  const objections = objectionsToRollback(request, context)
  if (rule.scope !== null && objections.length === 0)
    return { action: 'roll-back', scope: rule.scope, reasons: rollbackReasons(request, context) }
  return {
    action: 'incident',
    scope: null,
    reasons: objections.length > 0 ? objections : ['It rolls nothing back by itself.'],
  }
}

/** All that speaks against rolling back, of a rule that may. */
function objectionsToRollback(request: DecisionRequest, context: DecisionContext): string[] {
  const scope = request.rule?.scope ?? null
  if (scope === null) return []
  const { reading } = context
  const fromAlert = request.source === 'alert'
  const unknownReading = reading === null || reading.state === 'unknown'
  return [
    fromAlert &&
      request.scope !== scope &&
      `Its label sti_rollback is ${request.scope ?? 'missing'}, and this rule may roll back ${scope}: it is not the rule that it names.`,
    fromAlert &&
      !context.editorScopes.includes(scope) &&
      `Rolling back ${scope} needs more than the level editor here, and any editor could have sent this.`,
    !context.automaticScopes.includes(scope) &&
      `The rollout file does not let ${scope} be rolled back without a person (automaticRollback).`,
    context.armed === false && `Automatic rollback is held: ${context.holdDescription ?? 'by somebody'}.`,
    context.armed === null && 'Whether automatic rollback is held is not known: the database has not been read yet.',
    request.change !== null && context.rolledBack(request.change) && 'It has been rolled back for this change already.',
    context.activeChange === null && 'The flag is off and nothing is being written: there is nothing to roll back.',
    context.activeChange !== null &&
      request.change !== context.activeChange &&
      `It is about ${request.change ?? 'no change that it names'}, and what is under way is ${context.activeChange}.`,
    reading?.state === 'healthy' && `The agent itself reads that all is well: ${reading.sentence}`,
    unknownReading && request.seenResolved && 'It has been seen resolved, and the agent itself has no reading of it.',
    unknownReading &&
      context.now - request.startedAt > MAX_ALERT_AGE_MS &&
      `It began ${Math.round((context.now - request.startedAt) / 60_000)} minutes ago, and the agent itself has no reading of it now.`,
  ].filter((reason) => reason !== false)
}

function rollbackReasons(request: DecisionRequest, { activeChange, reading }: DecisionContext): string[] {
  return [
    request.source === 'guard'
      ? `The agent itself reads: ${reading!.sentence}`
      : `${request.rule!.name} fires about ${request.change}.`,
    ...(request.source === 'guard'
      ? []
      : [reading === null ? 'The agent has no reading of it.' : `The agent itself reads: ${reading.sentence}`]),
    `${activeChange} is under way, and automatic rollback is armed.`,
  ]
}
