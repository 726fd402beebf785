import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Acting, Decided } from './act.ts'
import type { Backlog } from './backlog.ts'
import { decide, type Asked } from './decide.ts'
import type { AlertPath } from './path.ts'
import { identityOf, type ReceivedAlert } from './received.ts'
import { ruleNamed } from './rules.ts'
import { dropOldAlerts, storeAlerts, type StoredAlert } from './store.ts'
import type { ConditionWatch } from './watch.ts'

/** Where webhooks leave alerts; they are decided about afterwards. */
export interface Inbox {
  /** False: too many wait; the sender sends them again. */
  offer(alerts: readonly ReceivedAlert[]): boolean
  stop(): void
}

export interface InboxParts {
  readonly state: Sql
  readonly agent: string
  readonly environment: string
  readonly rollouts: readonly Rollout[]
  readonly watch: ConditionWatch
  readonly acting: Acting
  readonly backlog: Backlog
  readonly path: AlertPath
  readonly log: Log
}

/** Different alerts that wait at most; the same one again takes no more room. */
const MOST = 5_000
const REMEMBERED = 5_000
const DROP_EVERY_MS = 60_000
const WATCHDOG = 'StiWatchdog'
/** Alerts that Grafana sends in place of a rule that it could not evaluate. */
const UNEVALUATED: Readonly<Record<string, string>> = { DatasourceNoData: 'NoData', DatasourceError: 'Error' }

/** Who asks: whoever may edit in Grafana can have it send any message (docs/alerting.md). */
const ACTOR: Actor = { name: 'webhook (any editor could have sent it)', level: 'editor', via: 'webhook' }

interface Waiting {
  readonly alert: ReceivedAlert
  readonly over: boolean
  readonly times: number
}

export function createInbox(parts: InboxParts): Inbox {
  const { watch, acting, backlog, environment } = parts
  const rollouts = new Map(parts.rollouts.map((rollout) => [rollout.name, rollout]))
  const resolved = new Set<string>()
  let waiting = new Map<string, Waiting>()
  let turn: NodeJS.Immediate | null = null
  let stopped = false
  let droppedAt = 0

  function put(alert: ReceivedAlert): void {
    const identity = identityOf(alert)
    if (alert.status === 'resolved') remember(identity)
    const before = waiting.get(identity)
    // A firing one goes before a resolved one, in whatever order they came.
    const kept = before?.alert.status === 'firing' ? before.alert : alert
    waiting.set(identity, { alert: kept, over: resolved.has(identity), times: (before?.times ?? 0) + 1 })
  }

  function remember(identity: string): void {
    resolved.delete(identity)
    resolved.add(identity)
    if (resolved.size > REMEMBERED) resolved.delete(resolved.values().next().value!)
  }

  function work(): void {
    turn = null
    const taken = [...waiting.values()]
    waiting = new Map()
    // What may roll back goes first.
    const first = (of: Waiting): number => Number(of.alert.labels['sti_rollback'] === undefined)
    taken.sort((a, b) => first(a) - first(b) || a.alert.receivedAt - b.alert.receivedAt)
    const groups = new Map<string, Decided>()
    const stored: StoredAlert[] = []
    for (const { alert, over, times } of taken) {
      const asked = askedOf(alert, over)
      const rollout = alert.labels['rollout'] || null
      const situation = watch.situation(rollout, asked.rule?.name ?? alert.name)
      const decision = decide(asked, situation)
      stored.push({ alert, over, times, decision })
      if (asked.rule === null || situation.rollout === 'unknown' || asked.environment !== environment) continue
      const decided: Decided = {
        rollout: rollout === null ? null : rollouts.get(rollout)!,
        rule: asked.rule,
        change: asked.change,
        decision,
        reading: situation.reading,
        actor: ACTOR,
        source: alert.source,
        startedAt: alert.startsAt,
        times,
        summary: alert.annotations['summary'] ?? alert.annotations['description'] ?? asked.rule.name,
        evidence: { fingerprint: alert.fingerprint, startsAt: new Date(alert.startsAt).toISOString() },
      }
      if (decision.act === 'roll-back') acting.carryOut(decided)
      else group(groups, decided)
    }
    for (const decided of groups.values()) acting.carryOut(decided)
    keep(stored)
  }

  function keep(stored: readonly StoredAlert[]): void {
    for (let at = 0; at < stored.length; at += 500) {
      const some = stored.slice(at, at + 500)
      backlog.add(`${some.length} alerts`, () => storeAlerts(parts.state, some))
    }
    if (Date.now() - droppedAt < DROP_EVERY_MS) return
    droppedAt = Date.now()
    backlog.add('the end of old alerts', () => dropOldAlerts(parts.state))
  }

  return {
    offer(alerts) {
      if (stopped) return false
      const ours = alerts.filter(({ labels }) => labels['environment'] === environment)
      if (ours.some((alert) => isWatchdog(alert, parts.agent))) parts.path.saw()
      const fresh = alerts.filter(({ name }) => name !== WATCHDOG)
      if (waiting.size + fresh.length > MOST) {
        parts.log({ level: 'error', message: `${fresh.length} alerts are refused: ${waiting.size} wait already` })
        return false
      }
      fresh.forEach(put)
      if (fresh.length > 0) turn ??= setImmediate(work)
      return true
    },
    stop() {
      stopped = true
      if (turn !== null) clearImmediate(turn)
      turn = null
    },
  }
}

/** Of the series of this agent, or of one that names none. */
function isWatchdog({ name, status, labels }: ReceivedAlert, agent: string): boolean {
  return name === WATCHDOG && status === 'firing' && (labels['agent'] ?? agent) === agent
}

function askedOf(alert: ReceivedAlert, over: boolean): Asked {
  const { labels, annotations } = alert
  const replaced = UNEVALUATED[alert.name]
  const name = replaced === undefined ? alert.name : (labels['rulename'] ?? '')
  const rule = ruleNamed(name)
  // A rule that rolls nothing back may ask to fire without data, as that an agent is gone.
  const reason = rule?.scope == null ? undefined : annotations['grafana_state_reason']
  return {
    by: 'alert',
    rule: rule && { name, ...rule },
    status: alert.status,
    unevaluated: replaced ?? reason ?? null,
    environment: labels['environment'] || null,
    scope: labels['sti_rollback'] ?? null,
    over,
    change: labels['change'] || null,
    startedAt: alert.startsAt,
  }
}

/** Many alerts of one rule and change with one decision are one thing to tell. */
function group(groups: Map<string, Decided>, decided: Decided): void {
  const { rollout, rule, change, decision } = decided
  const key = JSON.stringify([rollout?.name ?? null, rule.name, change, decision.act])
  const before = groups.get(key)
  groups.set(key, before ? merged(before, decided) : decided)
}

function merged(before: Decided, decided: Decided): Decided {
  const startedAt = Math.max(before.startedAt, decided.startedAt)
  return { ...before, times: before.times + decided.times, startedAt }
}
