import { randomUUID } from 'node:crypto'
import type { Actor, ConditionReading } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Flags } from '../flag/flags.ts'
import { openIncident, type NewIncident } from '../incident/incidentStore.ts'
import type { Log } from '../log.ts'
import { appendEvent } from '../operation/events.ts'
import { PAUSED_BY_ROLLBACK_MESSAGE, transitionOperation } from '../operation/transition.ts'
import type { Rollout } from '../rollout/rollout.ts'
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
  readonly decision: AlertDecision
  readonly reading: ConditionReading | null
  readonly actor: Actor
  readonly source: NewIncident['source']
  readonly summary: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** The number of alerts that led to this decision. */
  readonly alertCount: number
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
}

export function createDecisionExecutor({
  state,
  flags,
  monitor,
  writeQueue,
  log,
}: DecisionExecutorDependencies): DecisionExecutor {
  const announced = createDecisionMemory()

  const recordEvent = async (decided: DecisionRecord, actions: string): Promise<void> => {
    const { rollout, rule, change, decision, reading, actor, evidence } = decided
    if (rollout === null) return
    await appendEvent(state, {
      operationId: null,
      rollout: rollout.name,
      actor,
      kind: 'decision',
      message: `${rule.name}: ${actions}`,
      reason: decision.reasons.join(' '),
      after: { act: decision.action, rule: rule.name, change, reading, ...evidence },
    })
  }

  const rollBack = (decided: DecisionRecord, rollout: Rollout, change: string): void => {
    const { rule, decision, actor } = decided
    const reason = `${rule.name} (${change}): ${decision.reasons.join(' ')}`
    const turnedOff = flags.status(rollout.name).enabled
      ? flags.turnOff(rollout, actor, reason, {
          // One key for all agents and paths that make the same decision, so that one operation is written.
          kind: 'rollback',
          idempotencyKey: `automatic ${rule.name} ${change}`,
          parameters: { scope: 'flag', automatic: { rule: rule.name, change } },
        })
      : null
    log({
      level: 'warning',
      message: 'Rolled back automatically',
      rollout: rollout.name,
      rule: rule.name,
      change,
      reason,
    })
    const claimId = randomUUID()
    writeQueue.enqueue(`the automatic rollback of ${change}`, async () => {
      const firstClaim = await claimRollback(state, {
        rollout: rollout.name,
        rule: rule.name,
        change,
        claim: claimId,
        actor,
      })
      const paused = firstClaim ? await pauseBackfills(state, rollout.name, actor, reason) : []
      const operationId = (await turnedOff)?.operationId ?? null
      await openIncident(state, newIncident(decided, { scope: 'flag', operationId }))
      const actions = [
        turnedOff === null ? null : 'turned the flag off',
        ...paused.map((id) => `paused backfill ${id}`),
      ]
      const outcome = actions.filter((action) => action !== null).join(', ')
      if (firstClaim) await recordEvent(decided, outcome === '' ? 'nothing left to roll back' : outcome)
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
      writeQueue.enqueue(`the decision on ${rule.name}`, async () => {
        if (decision.action !== 'record') await openIncident(state, newIncident(decided, null))
        if (changed)
          await recordEvent(decided, decision.action === 'record' ? 'recorded' : 'opened an incident, no rollback')
      })
    },
  }
}

function newIncident(decided: DecisionRecord, rolledBack: NewIncident['rolledBack']): NewIncident {
  const { rollout, rule, change, decision, reading, actor, source, summary, startedAt, alertCount } = decided
  return {
    rollout: rollout?.name ?? null,
    rule: rule.name,
    change,
    severity: rule.severity,
    drill: false,
    source,
    summary,
    reasons: decision.reasons,
    reading,
    rolledBack,
    actor,
    startedAt,
    alertCount,
  }
}

/** True if this agent is the first to roll this change back. Idempotent for the same claim. */
async function claimRollback(
  sql: Sql,
  claim: { rollout: string; rule: string; change: string; claim: string; actor: Actor },
): Promise<boolean> {
  await sql`
    insert into sti.automatic_rollback (rollout, rule, change, scope, claim, actor)
    values (${claim.rollout}, ${claim.rule}, ${claim.change}, 'flag', ${claim.claim}, ${sql.json(claim.actor)})
    on conflict do nothing`
  const [row] = await sql<{ mine: boolean }[]>`
    select claim = ${claim.claim}::uuid as mine from sti.automatic_rollback
    where rollout = ${claim.rollout} and rule = ${claim.rule} and change = ${claim.change}`
  return row?.mine === true
}

/** Pauses the rollout's backfills at their next safe point and returns their ids. A person has to resume them. */
async function pauseBackfills(sql: Sql, rollout: string, actor: Actor, reason: string): Promise<bigint[]> {
  const openBackfills = await sql<{ id: bigint }[]>`
    select id from sti.operation where rollout = ${rollout} and kind = 'backfill' and state in ('queued', 'running')`
  const paused: bigint[] = []
  for (const { id } of openBackfills)
    if (await transitionOperation(sql, id, 'pause', { actor, message: PAUSED_BY_ROLLBACK_MESSAGE, reason }))
      paused.push(id)
  return paused
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
