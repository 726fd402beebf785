import type { Actor, ConditionReading } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Flags } from '../flag/flags.ts'
import { openIncident, type NewIncident } from '../incident/incidentStore.ts'
import type { Log } from '../log.ts'
import { appendEvent } from '../operation/events.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { errorMessage } from '../database/errors.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import type { StoredAlert } from './alertStore.ts'
import { toPlainTexts } from './plainTexts.ts'
import {
  newRecordProgress,
  recordRollback,
  rollbackOperationKey,
  type RollbackRecord,
  type StoredDecision,
} from './rollbackRecord.ts'
import type { WriteQueue } from './writeQueue.ts'
import type { AlertDecision } from './decide.ts'
import type { AlertRule } from './alertRules.ts'
import type { ConditionMonitor } from './conditionMonitor.ts'

/** A decision with its subject and evidence. */
export interface DecisionRecord {
  /** Null: the environment as a whole. */
  readonly rollout: Rollout | null
  readonly rule: AlertRule & { readonly name: string }
  readonly change: string | null
  /** The change is the active one, or a finding of the agent itself names it. */
  readonly isCurrentChange: boolean
  readonly decision: AlertDecision
  readonly reading: ConditionReading | null
  readonly actor: Actor
  readonly source: NewIncident['source']
  readonly summary: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The number of alerts that led to this decision. */
  readonly alertCount: number
  /** The alert that led to a rollback, stored with it; null: the guard, or it is stored with others. */
  readonly alert: StoredAlert | null
  /** Additional fields of the event. */
  readonly evidence: Readonly<Record<string, unknown>>
}

export interface DecisionExecutor {
  /**
   * Executes a decision. The flag is off in memory before this returns; everything else is written once the database is
   * available.
   */
  execute(decided: DecisionRecord): void
}

export interface DecisionExecutorDependencies {
  readonly state: Sql
  readonly flags: Pick<Flags, 'turnOff' | 'status'>
  readonly monitor: Pick<ConditionMonitor, 'claim'>
  readonly writeQueue: WriteQueue
  readonly log: Log
  readonly reached: FailpointHook
}

export function createDecisionExecutor({
  state,
  flags,
  monitor,
  writeQueue,
  log,
  reached,
}: DecisionExecutorDependencies): DecisionExecutor {
  const announced = createDecisionMemory()

  const recordEvent = async (decided: DecisionRecord, actions: string, plainTexts: boolean): Promise<void> => {
    const { rollout, rule, change, decision, reading, actor, evidence } = decided
    if (rollout === null) return
    const event = {
      operationId: null,
      rollout: rollout.name,
      actor,
      kind: 'decision',
      message: `${rule.name}: ${actions}`,
      reason: decision.reasons.join(' '),
      after: { act: decision.action, rule: rule.name, change, reading, ...evidence },
    }
    await appendEvent(state, plainTexts ? toPlainTexts(event) : event)
  }

  /** Off in memory at once. Resolves once it is stored, or after a second. */
  const turnFlagOff = async (
    decided: DecisionRecord,
    rollout: Rollout,
    change: string,
    reason: string,
  ): Promise<void> => {
    try {
      await flags.turnOff(rollout, decided.actor, reason, {
        // One key for all agents and paths that make the same decision, so that one operation is written.
        kind: 'rollback',
        idempotencyKey: rollbackOperationKey(decided.rule.name, change),
        parameters: { scope: 'flag', automatic: toStoredDecision(decided, change) },
      })
    } catch (error) {
      // The same rollback was written before, and the flag was turned on since.
      log({ level: 'warning', message: errorMessage(error), rollout: rollout.name })
    }
  }

  const rollBack = (decided: DecisionRecord, rollout: Rollout, change: string): void => {
    const { rule, decision, alert } = decided
    const reason = `${rule.name} (${change}): ${decision.reasons.join(' ')}`
    const turnedFlagOff = flags.status(rollout.name).enabled
    const turnedOff = turnedFlagOff ? turnFlagOff(decided, rollout, change, reason) : Promise.resolve()
    log({
      level: 'warning',
      message: 'Rolled back automatically',
      rollout: rollout.name,
      rule: rule.name,
      change,
      reason,
    })
    const progress = newRecordProgress()
    writeQueue.enqueue({
      description: `the automatic rollback of ${change}`,
      isRollback: true,
      async write(plainTexts) {
        // Then the off is stored or spooled, and the decision with it.
        await turnedOff
        const record: RollbackRecord = {
          rollout: rollout.name,
          change,
          incident: newIncident(decided),
          reason,
          turnedFlagOff,
          alert,
          evidence: decided.evidence,
        }
        await recordRollback({ state, reached }, plainTexts ? toPlainTexts(record) : record, progress)
      },
    })
  }

  return {
    execute(decided) {
      const { rollout, rule, change, decision } = decided
      if (decision.action === 'roll-back' && rollout !== null && change !== null) {
        if (monitor.claim(rollout.name, rule.name, change)) rollBack(decided, rollout, change)
        return
      }
      const changed = announced.first(decided)
      if (decision.action === 'record' && !changed) return
      let opened = decision.action === 'record'
      writeQueue.enqueue({
        description: `the decision on ${rule.name}`,
        isRollback: false,
        async write(plainTexts) {
          const incident = newIncident(decided)
          // Not again if only the event could not be written.
          if (!opened) await openIncident(state, plainTexts ? toPlainTexts(incident) : incident)
          opened = true
          const outcome = decision.action === 'record' ? 'recorded' : 'opened an incident, no rollback'
          if (changed) await recordEvent(decided, outcome, plainTexts)
        },
      })
    },
  }
}

function toStoredDecision(decided: DecisionRecord, change: string): StoredDecision {
  const { rule, decision, reading, source, summary, startedAt, alertCount, alert } = decided
  return {
    rule: rule.name,
    change,
    source: source === 'grafana' || source === 'alertmanager' || source === 'guard' ? source : null,
    summary,
    reasons: [...decision.reasons],
    reading,
    startedAt,
    alertCount,
    fingerprint: alert?.alert.fingerprint ?? null,
  }
}

function newIncident(decided: DecisionRecord): NewIncident {
  const { rollout, rule, change, isCurrentChange, decision, reading, actor, source, summary, startedAt } = decided
  return {
    rollout: rollout?.name ?? null,
    rule: rule.name,
    change,
    isCurrentChange,
    severity: rule.severity,
    drill: false,
    source,
    summary,
    reasons: decision.reasons,
    reading,
    rolledBack: null,
    actor,
    startedAt,
    alertCount: decided.alertCount,
  }
}

const MAX_REMEMBERED_DECISIONS = 1_000

/** Remembers the last decision per alert, so that a re-sent alert with the same decision adds no event. */
function createDecisionMemory(): { first(decided: DecisionRecord): boolean } {
  const lastActions = new Map<string, string>()
  return {
    first({ rollout, rule, change, decision, source }) {
      const key = JSON.stringify([rollout?.name ?? null, rule.name, change, source])
      if (lastActions.get(key) === decision.action) return false
      lastActions.delete(key)
      lastActions.set(key, decision.action)
      if (lastActions.size > MAX_REMEMBERED_DECISIONS) lastActions.delete(lastActions.keys().next().value!)
      return true
    },
  }
}
