import { agentActor, type OperationKind } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { isAway, messageOf } from '../engine/errors.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind } from '../engine/kind.ts'
import type { Log } from '../log.ts'
import { rehearsalDueAt } from '../rollback/rehearsed.ts'
import { requestHash } from './request.ts'
import { covered } from './stage.ts'

/** Starts validations and rehearsals by themselves, each at its interval of the rollout file. */
export interface Schedule {
  /** Called every few seconds with facts that were just read. Never rejects. */
  consider(facts: Facts): Promise<void>
}

/** One kind of operation that starts by itself. */
interface Scheduled {
  readonly kind: 'validation' | 'rehearsal'
  readonly parameters: Readonly<Record<string, unknown>>
  /** What it may start beside of. */
  readonly beside: readonly OperationKind[]
  /** Seconds. */
  every(facts: Facts): number
  /** Milliseconds since 1970; null: none starts as things stand. */
  due(facts: Facts, sql: Sql): Promise<number | null>
}

const VALIDATION: Scheduled = {
  // A ramp lasts, and wants to hear what a validation finds meanwhile.
  kind: 'validation',
  parameters: { full: true },
  beside: ['flag'],
  every: ({ rollout }) => rollout.file.validation.every,
  due: async (facts, sql) => (covered(facts) ? dueAt(facts, await lastAskedAt(sql, facts.rollout.name)) : null),
}

const REHEARSAL: Scheduled = {
  kind: 'rehearsal',
  parameters: {},
  beside: [],
  every: ({ rollout }) => rollout.file.rehearsal.every,
  due: (facts) => Promise.resolve(rehearsalDueAt(facts)),
}

/**
 * When the next validation starts by itself, as milliseconds since 1970: one interval after the last one of all layers
 * was asked for, or after the backfill ended. Null: none will, before the column is there and covered.
 */
export function dueAt(facts: Facts, lastAskedAt: string | null): number | null {
  const since = covered(facts) ? (facts.backfilled?.endedAt ?? null) : null
  if (since === null) return null
  const last = Math.max(Date.parse(since), lastAskedAt === null ? 0 : Date.parse(lastAskedAt))
  return last + VALIDATION.every(facts) * 1000
}

/** When a validation of all layers was last asked for, whatever became of it; ISO 8601. */
export async function lastAskedAt(sql: Sql, rollout: string): Promise<string | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select max(created_at) as at from sti.operation where rollout = ${rollout} and ${whole(sql, 'validation')}`
  return row?.at?.toISOString() ?? null
}

const whole = (sql: Sql, kind: Scheduled['kind']) =>
  sql`kind = ${kind} and parameters->'layers' is null and parameters->'checks' is null`

export function createSchedule(parts: {
  readonly agent: string
  readonly state: Sql
  readonly kinds: readonly Kind[]
  readonly poke: () => void
  readonly log: Log
}): Schedule {
  const actor = agentActor(parts.agent)
  const start = async (scheduled: Scheduled, facts: Facts): Promise<void> => {
    const { rollout } = facts
    const { kind, parameters } = scheduled
    const known = parts.kinds.find((one) => one.kind === kind)
    if (
      known === undefined ||
      facts.open.some((one) => !scheduled.beside.includes(one.kind)) ||
      known.refusals(facts, parameters).length > 0
    )
      return
    const at = await scheduled.due(facts, parts.state)
    // By this machine's clock, which may be another one: the statement asks the database's.
    if (at === null || at > Date.now() + 1_000) return
    const every = scheduled.every(facts)
    const reason = `scheduled, every ${every} s`
    // Of several agents one starts it: the key is the same for all of them in the same interval.
    const started = await parts.state<{ id: bigint }[]>`
      with started as (
        insert into sti.operation (rollout, kind, parameters, file_hash, writes_table, actor, reason, idempotency_key, request_hash)
        select ${rollout.name}, ${kind}::text, ${parts.state.json(parameters as never)}::jsonb, ${rollout.hash}, false, ${parts.state.json(actor)}::jsonb, ${reason},
          format('schedule of %s %s', ${kind}::text, floor(extract(epoch from clock_timestamp()) / ${every}::float8)),
          ${requestHash({ kind, parameters, reason })}
        where not exists (select from sti.operation where rollout = ${rollout.name}
          and (kind <> 'flag' and state not in ('cancelled', 'succeeded', 'failed')
            or (${whole(parts.state, kind)} and created_at > clock_timestamp() - make_interval(secs => ${every}::float8))))
        on conflict do nothing
        returning *
      ), event as (
        select sti.append_event(s.id, s.rollout, s.actor, 'state', s.kind || ' accepted', s.reason, null,
          jsonb_build_object('state', s.state, 'parameters', s.parameters)) from started s
      )
      select s.id from started s, event`
    if (started.length > 0) parts.poke()
  }
  return {
    async consider(facts) {
      for (const scheduled of [VALIDATION, REHEARSAL]) {
        await start(scheduled, facts).catch((error: unknown) => {
          if (isAway(error)) return
          const message = `a ${scheduled.kind} could not be scheduled`
          parts.log({ level: 'warning', message, error: messageOf(error) })
        })
      }
    },
  }
}
