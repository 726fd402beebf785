import type { OwnReading, Scope, Severity } from '../contract/index.ts'

/** What asks for a decision: an alert, or what the agent's own guard reads. */
export interface Asked {
  readonly by: 'alert' | 'guard'
  /** Null: no rule of ours. */
  readonly rule: {
    readonly name: string
    readonly severity: Severity
    readonly scope: Scope | null
    readonly opens: boolean
  } | null
  readonly status: 'firing' | 'resolved'
  /** Why it fires, where that is not the rule's own condition, such as NoData or Error; null: its condition. */
  readonly unevaluated: string | null
  /** The label environment; null: it has none. */
  readonly environment: string | null
  /** The label sti_rollback, as it was sent. */
  readonly scope: string | null
  readonly change: string | null
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The same alert has been seen resolved. */
  readonly over: boolean
}

/** What is so here and now. */
export interface Situation {
  readonly now: number
  readonly environment: string
  /** Null: it names none, so that it is of the environment; unknown: it names one that this agent does not have. */
  readonly rollout: 'known' | 'unknown' | null
  /** What of ours is under way, such as flag-12 or backfill-7; null: nothing, so there is nothing to take back. */
  readonly underWay: string | null
  readonly reading: OwnReading | null
  /** Scopes that the rollout file lets start without a person. */
  readonly scopes: readonly string[]
  /** Scopes that the level editor may roll back. */
  readonly editorScopes: readonly string[]
  /** Null: the database has not been read since the agent started. */
  readonly armed: boolean | null
  /** Who holds it until when, for people. */
  readonly held: string | null
  /** Whether one has run for this rollout, rule and change. */
  rolledBack(change: string): boolean
}

export type Act = 'roll-back' | 'incident' | 'record'

export interface Decision {
  readonly act: Act
  readonly scope: Scope | null
  /** What spoke for it, or what spoke against rolling back; the first one says it. */
  readonly reasons: readonly string[]
}

/** Without a reading of its own the agent believes an alert that began this long ago, and no older one. */
export const FRESH_MS = 300_000
/** Clocks may differ by so much. */
export const SKEW_MS = 60_000

/**
 * What is done about an alert, or about what the agent reads itself. Pure. It rolls back only when nothing speaks
 * against it: otherwise there is an incident, or nothing but the record.
 */
export function decide(asked: Asked, situation: Situation): Decision {
  const record = (reason: string): Decision => ({ act: 'record', scope: null, reasons: [reason] })
  const { rule } = asked
  if (rule === null) return record('It is of no rule of ours.')
  if (asked.environment === null) return record('It has no label environment, so nobody knows what it is about.')
  if (asked.environment !== situation.environment)
    return record(`It is of ${asked.environment}, and this agent serves ${situation.environment}.`)
  if (situation.rollout === 'unknown') return record('It names a rollout that this agent does not have.')
  if (asked.status === 'resolved')
    return record('It is resolved, which closes no incident: that says a series ended, not that all is well.')
  if (asked.unevaluated !== null)
    return record(`The rule could not be evaluated (${asked.unevaluated}), so its condition is not known to be true.`)
  if (asked.startedAt > situation.now + SKEW_MS) return record('It begins in the future.')
  if (!rule.opens) return record('It is for people to know.')
  const against = refusals(asked, situation)
  if (rule.scope !== null && against.length === 0)
    return { act: 'roll-back', scope: rule.scope, reasons: grounds(asked, situation) }
  return { act: 'incident', scope: null, reasons: against.length > 0 ? against : ['It rolls nothing back by itself.'] }
}

/** All that speaks against rolling back, of a rule that may. */
function refusals(asked: Asked, situation: Situation): string[] {
  const scope = asked.rule?.scope ?? null
  if (scope === null) return []
  const { reading } = situation
  const alert = asked.by === 'alert'
  const unread = reading === null || reading.state === 'unknown'
  return [
    alert &&
      asked.scope !== scope &&
      `Its label sti_rollback is ${asked.scope ?? 'missing'}, and this rule may roll back ${scope}: it is not the rule that it names.`,
    alert &&
      !situation.editorScopes.includes(scope) &&
      `Rolling back ${scope} needs more than the level editor here, and any editor could have sent this.`,
    !situation.scopes.includes(scope) &&
      `The rollout file does not let ${scope} be rolled back without a person (automaticRollback).`,
    situation.armed === false && `Automatic rollback is held: ${situation.held ?? 'by somebody'}.`,
    situation.armed === null && 'Whether automatic rollback is held is not known: the database has not been read yet.',
    asked.change !== null && situation.rolledBack(asked.change) && 'It has been rolled back for this change already.',
    situation.underWay === null && 'The flag is off and nothing is being written: there is nothing to roll back.',
    situation.underWay !== null &&
      asked.change !== situation.underWay &&
      `It is about ${asked.change ?? 'no change that it names'}, and what is under way is ${situation.underWay}.`,
    reading?.state === 'healthy' && `The agent itself reads that all is well: ${reading.sentence}`,
    unread && asked.over && 'It has been seen resolved, and the agent itself has no reading of it.',
    unread &&
      situation.now - asked.startedAt > FRESH_MS &&
      `It began ${Math.round((situation.now - asked.startedAt) / 60_000)} minutes ago, and the agent itself has no reading of it now.`,
  ].filter((reason) => reason !== false)
}

function grounds(asked: Asked, { underWay, reading }: Situation): string[] {
  return [
    asked.by === 'guard'
      ? `The agent itself reads: ${reading!.sentence}`
      : `${asked.rule!.name} fires about ${asked.change}.`,
    ...(asked.by === 'guard'
      ? []
      : [reading === null ? 'The agent has no reading of it.' : `The agent itself reads: ${reading.sentence}`]),
    `${underWay} is under way, and automatic rollback is armed.`,
  ]
}
