import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { DecisionExecutor, DecisionRecord } from './decisionExecutor.ts'
import type { WriteQueue } from './writeQueue.ts'
import { decide, type DecisionRequest } from './decide.ts'
import type { AlertWatchdog } from './watchdog.ts'
import { alertIdentity, type ReceivedAlert } from './receivedAlert.ts'
import { findAlertRule } from './alertRules.ts'
import { errorMessage, isValueRefused } from '../database/errors.ts'
import { deleteOldAlerts, storeAlerts, type StoredAlert } from './alertStore.ts'
import type { DroppedAlerts } from './droppedAlerts.ts'
import { toPlainTexts } from './plainTexts.ts'
import type { ConditionMonitor } from './conditionMonitor.ts'

/** Queues the alerts of webhooks; decisions follow asynchronously. */
export interface AlertQueue {
  /** Returns how many were not queued since the queue is full; the sender sends them again. */
  offer(alerts: readonly ReceivedAlert[]): { readonly dropped: number }
  stop(): void
}

export interface AlertQueueDependencies {
  readonly state: Sql
  readonly agent: string
  readonly environment: string
  readonly rollouts: readonly Rollout[]
  readonly monitor: ConditionMonitor
  readonly executor: DecisionExecutor
  readonly writeQueue: WriteQueue
  readonly watchdog: AlertWatchdog
  readonly dropped: DroppedAlerts
  readonly log: Log
}

/**
 * Maximum number of different alerts in the queue; a repeated alert takes no additional space. Those that may roll back
 * the active change have room of their own, so that no flood of others keeps them out.
 */
const MAX_QUEUED_ALERTS = 5_000
const MAX_QUEUED_ROLLBACKS = 1_000
const MAX_REMEMBERED_RESOLVED = 5_000
const CLEANUP_INTERVAL_MS = 60_000
const WATCHDOG_ALERT = 'StiWatchdog'
/** Alerts that Grafana sends for a rule that it could not evaluate. */
const EVALUATION_FAILURES: Readonly<Record<string, string>> = { DatasourceNoData: 'NoData', DatasourceError: 'Error' }

/** Any Grafana editor can send any message (docs/alerting.md). */
const WEBHOOK_ACTOR: Actor = { name: 'webhook (any editor could have sent it)', level: 'editor', via: 'webhook' }

interface QueuedAlert {
  readonly alert: ReceivedAlert
  readonly mayRollBack: boolean
  readonly seenResolved: boolean
  readonly count: number
}

export function createAlertQueue(dependencies: AlertQueueDependencies): AlertQueue {
  const { monitor, executor, writeQueue, environment } = dependencies
  const rollouts = new Map(dependencies.rollouts.map((rollout) => [rollout.name, rollout]))
  const resolved = new Set<string>()
  let queued = new Map<string, QueuedAlert>()
  let scheduled: NodeJS.Immediate | null = null
  let stopped = false
  let cleanedUpAt = 0

  function enqueue(alert: ReceivedAlert, rollsBack: boolean): void {
    const identity = alertIdentity(alert)
    if (alert.status === 'resolved') rememberResolved(identity)
    const previous = queued.get(identity)
    // A firing message wins over a resolved one, in either order.
    const keepsPrevious = previous?.alert.status === 'firing'
    queued.set(identity, {
      alert: keepsPrevious ? previous.alert : alert,
      mayRollBack: keepsPrevious ? previous.mayRollBack : rollsBack,
      seenResolved: resolved.has(identity),
      count: (previous?.count ?? 0) + 1,
    })
  }

  /** It could roll back what is active now. Whoever sends alerts cannot make up more of these than there are changes. */
  function mayRollBack({ name, status, labels }: ReceivedAlert): boolean {
    const rule = findAlertRule(name)
    const rollout = labels['rollout'] ?? ''
    if (status !== 'firing' || rule?.scope == null || !rollouts.has(rollout)) return false
    return labels['change'] === monitor.decisionContext(rollout, name).activeChange
  }

  /** Queues those that have room, and returns the number of the others. */
  function enqueueWithinBounds(alerts: readonly ReceivedAlert[]): number {
    const room = { rollbacks: MAX_QUEUED_ROLLBACKS, others: MAX_QUEUED_ALERTS }
    for (const item of queued.values()) room[item.mayRollBack ? 'rollbacks' : 'others']--
    let dropped = 0
    for (const alert of alerts) {
      const rollsBack = mayRollBack(alert)
      const place = rollsBack ? 'rollbacks' : 'others'
      if (queued.has(alertIdentity(alert))) enqueue(alert, rollsBack)
      else if (room[place] > 0) {
        enqueue(alert, rollsBack)
        room[place]--
      } else dropped++
    }
    return dropped
  }

  function rememberResolved(identity: string): void {
    resolved.delete(identity)
    resolved.add(identity)
    if (resolved.size > MAX_REMEMBERED_RESOLVED) resolved.delete(resolved.values().next().value!)
  }

  function processQueue(): void {
    scheduled = null
    const batch = [...queued.values()]
    queued = new Map()
    // Alerts that may roll back come first.
    batch.sort((a, b) => Number(b.mayRollBack) - Number(a.mayRollBack) || a.alert.receivedAt - b.alert.receivedAt)
    const groups = new Map<string, DecisionRecord>()
    const stored: StoredAlert[] = []
    for (const { alert, seenResolved, count } of batch) {
      const request = toDecisionRequest(alert, seenResolved)
      const rollout = alert.labels['rollout'] || null
      const context = monitor.decisionContext(rollout, request.rule?.name ?? alert.name)
      const decision = decide(request, context)
      const item: StoredAlert = { alert, seenResolved, count, decision }
      if (decision.action !== 'roll-back') stored.push(item)
      if (request.rule === null || context.rollout === 'unknown' || request.environment !== environment) continue
      const record: DecisionRecord = {
        rollout: rollout === null ? null : rollouts.get(rollout)!,
        rule: request.rule,
        change: request.change,
        isCurrentChange: request.change === null || request.change === context.activeChange,
        decision,
        // The record of a rollback has its alert.
        alert: decision.action === 'roll-back' ? item : null,
        reading: context.reading,
        actor: WEBHOOK_ACTOR,
        source: alert.source,
        startedAt: alert.startsAt,
        alertCount: count,
        summary: alert.annotations['summary'] ?? alert.annotations['description'] ?? request.rule.name,
        evidence: { fingerprint: alert.fingerprint, startsAt: new Date(alert.startsAt).toISOString() },
      }
      if (decision.action === 'roll-back') executor.execute(record)
      else groupDecision(groups, record)
    }
    for (const record of groups.values()) executor.execute(record)
    store(stored)
  }

  function store(stored: readonly StoredAlert[]): void {
    for (let offset = 0; offset < stored.length; offset += 500) {
      const chunk = stored.slice(offset, offset + 500)
      writeQueue.enqueue({
        description: `${chunk.length} alerts`,
        isRollback: false,
        write: (plainTexts) => (plainTexts ? storeOneByOne(chunk) : storeAlerts(dependencies.state, chunk)),
      })
    }
    if (Date.now() - cleanedUpAt < CLEANUP_INTERVAL_MS) return
    cleanedUpAt = Date.now()
    writeQueue.enqueue({
      description: 'the deletion of old alerts',
      isRollback: false,
      write: () => deleteOldAlerts(dependencies.state),
    })
  }

  /** The database has refused one of them: the others are stored, and that one with plain texts, or not at all. */
  async function storeOneByOne(chunk: readonly StoredAlert[]): Promise<void> {
    const remaining = [...chunk]
    for (let item = remaining[0]; item !== undefined; item = remaining[0]) {
      try {
        await storeAlerts(dependencies.state, [item])
      } catch (error) {
        if (!isValueRefused(error)) throw error
        await storePlain(item)
      }
      remaining.shift()
    }
  }

  async function storePlain(item: StoredAlert): Promise<void> {
    try {
      await storeAlerts(dependencies.state, [toPlainTexts(item)])
    } catch (error) {
      if (!isValueRefused(error)) throw error
      dependencies.dropped.add('unstorable', 1)
      const { name, source, receivedAt } = item.alert
      dependencies.log({
        level: 'error',
        message: 'An alert cannot be stored',
        alert: name,
        source,
        receivedAt,
        error: errorMessage(error),
      })
    }
  }

  return {
    offer(alerts) {
      const forEnvironment = alerts.filter(({ labels }) => labels['environment'] === environment)
      if (forEnvironment.some((alert) => isWatchdog(alert, dependencies.agent))) dependencies.watchdog.recordHeartbeat()
      const withoutWatchdog = alerts.filter(({ name }) => name !== WATCHDOG_ALERT)
      const dropped = stopped ? withoutWatchdog.length : enqueueWithinBounds(withoutWatchdog)
      dependencies.dropped.add('queue-full', dropped)
      if (queued.size > 0 && !stopped) scheduled ??= setImmediate(processQueue)
      return { dropped }
    },
    stop() {
      stopped = true
      if (scheduled !== null) clearImmediate(scheduled)
      scheduled = null
    },
  }
}

/** The watchdog alert of this agent, or one without an agent label. */
function isWatchdog({ name, status, labels }: ReceivedAlert, agent: string): boolean {
  return name === WATCHDOG_ALERT && status === 'firing' && (labels['agent'] ?? agent) === agent
}

function toDecisionRequest(alert: ReceivedAlert, seenResolved: boolean): DecisionRequest {
  const { labels, annotations } = alert
  const evaluationFailure = EVALUATION_FAILURES[alert.name]
  const name = evaluationFailure === undefined ? alert.name : (labels['rulename'] ?? '')
  const rule = findAlertRule(name)
  // A rule that rolls nothing back may fire without data, such as StiAgentDown.
  const reason = rule?.scope == null ? undefined : annotations['grafana_state_reason']
  return {
    source: 'alert',
    rule: rule && { name, ...rule },
    status: alert.status,
    evaluationFailure: evaluationFailure ?? reason ?? null,
    environment: labels['environment'] || null,
    scope: labels['sti_rollback'] ?? null,
    seenResolved,
    change: labels['change'] || null,
    startedAt: alert.startsAt,
  }
}

/** Alerts of one rule and change with the same decision become one record. */
function groupDecision(groups: Map<string, DecisionRecord>, record: DecisionRecord): void {
  const { rollout, rule, change, decision } = record
  const key = JSON.stringify([rollout?.name ?? null, rule.name, change, decision.action])
  const previous = groups.get(key)
  groups.set(key, previous ? mergeDecisions(previous, record) : record)
}

function mergeDecisions(previous: DecisionRecord, record: DecisionRecord): DecisionRecord {
  const startedAt = Math.max(previous.startedAt, record.startedAt)
  return { ...previous, alertCount: previous.alertCount + record.alertCount, startedAt }
}
