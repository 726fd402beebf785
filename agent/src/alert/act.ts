import { randomUUID } from 'node:crypto'
import type { Actor, OwnReading } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Flags } from '../flag/flags.ts'
import { openIncident, type Found } from '../incident/store.ts'
import type { Log } from '../log.ts'
import { appendEvent } from '../operation/events.ts'
import { PAUSED_BY_ROLLBACK, transition } from '../operation/transition.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Backlog } from './backlog.ts'
import type { Decision } from './decide.ts'
import type { Rule } from './rules.ts'
import type { ConditionWatch } from './watch.ts'

/** A decision, with what it is about. */
export interface Decided {
  /** Null: of the environment as a whole. */
  readonly rollout: Rollout | null
  readonly rule: Rule & { readonly name: string }
  readonly change: string | null
  readonly decision: Decision
  readonly reading: OwnReading | null
  readonly actor: Actor
  readonly source: Found['source']
  readonly summary: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** How many alerts say so. */
  readonly times: number
  /** What is kept with the event beside the decision. */
  readonly evidence: Readonly<Record<string, unknown>>
}

export interface Acting {
  /**
   * Carries a decision out. The flag is off, in memory, before this returns; everything else is written as soon as the
   * database takes it.
   */
  carryOut(decided: Decided): void
}

export interface ActingParts {
  readonly state: Sql
  readonly flags: Pick<Flags, 'turnOff' | 'status'>
  readonly watch: Pick<ConditionWatch, 'claim'>
  readonly backlog: Backlog
  readonly log: Log
}

export function createActing({ state, flags, watch, backlog, log }: ActingParts): Acting {
  const told = createTold()

  const event = async (decided: Decided, acts: string): Promise<void> => {
    const { rollout, rule, change, decision, reading, actor, evidence } = decided
    if (rollout === null) return
    await appendEvent(state, {
      operationId: null,
      rollout: rollout.name,
      actor,
      kind: 'decision',
      message: `${rule.name}: ${acts}`,
      reason: decision.reasons.join(' '),
      after: { act: decision.act, rule: rule.name, change, reading, ...evidence },
    })
  }

  const rollBack = (decided: Decided, rollout: Rollout, change: string): void => {
    const { rule, decision, actor } = decided
    const reason = `${rule.name} (${change}): ${decision.reasons.join(' ')}`
    const off = flags.status(rollout.name).enabled
      ? flags.turnOff(rollout, actor, reason, {
          // Of all agents and paths that decide the same, one is written.
          kind: 'rollback',
          idempotencyKey: `automatic ${rule.name} ${change}`,
          parameters: { scope: 'flag', automatic: { rule: rule.name, change } },
        })
      : null
    log({ level: 'warning', message: 'rolled back by itself', rollout: rollout.name, rule: rule.name, change, reason })
    const claim = randomUUID()
    backlog.add(`the rollback of ${change}`, async () => {
      const first = await claimed(state, { rollout: rollout.name, rule: rule.name, change, claim, actor })
      const paused = first ? await pauseBackfills(state, rollout.name, actor, reason) : []
      const operationId = (await off)?.operationId ?? null
      await openIncident(state, found(decided, { scope: 'flag', operationId }))
      const acts = [off === null ? null : 'the flag was turned off', ...paused.map((id) => `backfill ${id} was paused`)]
      const said = acts.filter((act) => act !== null).join(', ')
      if (first) await event(decided, said === '' ? 'there was nothing left to roll back' : said)
    })
  }

  return {
    carryOut(decided) {
      const { rollout, rule, change, decision } = decided
      if (decision.act === 'roll-back' && rollout !== null && change !== null) {
        if (watch.claim(rollout.name, rule.name, change)) rollBack(decided, rollout, change)
        return
      }
      const news = told.first(decided)
      if (decision.act === 'record' && !news) return
      backlog.add(`the decision about ${rule.name}`, async () => {
        if (decision.act !== 'record') await openIncident(state, found(decided, null))
        if (news) await event(decided, decision.act === 'record' ? 'nothing was done' : 'nothing was rolled back')
      })
    },
  }
}

function found(decided: Decided, rolledBack: Found['rolledBack']): Found {
  const { rollout, rule, change, decision, reading, actor, source, summary, startedAt, times } = decided
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
    times,
  }
}

/** Whether this agent is the first to roll this back; asked again with the same claim it answers the same. */
async function claimed(
  sql: Sql,
  of: { rollout: string; rule: string; change: string; claim: string; actor: Actor },
): Promise<boolean> {
  await sql`
    insert into sti.automatic_rollback (rollout, rule, change, scope, claim, actor)
    values (${of.rollout}, ${of.rule}, ${of.change}, 'flag', ${of.claim}, ${sql.json(of.actor)})
    on conflict do nothing`
  const [row] = await sql<{ mine: boolean }[]>`
    select claim = ${of.claim}::uuid as mine from sti.automatic_rollback
    where rollout = ${of.rollout} and rule = ${of.rule} and change = ${of.change}`
  return row?.mine === true
}

/** A backfill stands at its next safe point until a person resumes it. Answers which. */
async function pauseBackfills(sql: Sql, rollout: string, actor: Actor, reason: string): Promise<bigint[]> {
  const open = await sql<{ id: bigint }[]>`
    select id from sti.operation where rollout = ${rollout} and kind = 'backfill' and state in ('queued', 'running')`
  const paused: bigint[] = []
  for (const { id } of open)
    if (await transition(sql, id, 'pause', { actor, message: PAUSED_BY_ROLLBACK, reason })) paused.push(id)
  return paused
}

const REMEMBERED = 1_000

/** An alert that is sent again, with the same decision, is no news: it is counted, and is no event. */
function createTold(): { first(decided: Decided): boolean } {
  const told = new Map<string, string>()
  return {
    first({ rollout, rule, change, decision, source }) {
      const key = JSON.stringify([rollout?.name ?? null, rule.name, change, source])
      if (told.get(key) === decision.act) return false
      told.delete(key)
      told.set(key, decision.act)
      if (told.size > REMEMBERED) told.delete(told.keys().next().value!)
      return true
    },
  }
}
