import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { isAway, messageOf } from '../engine/errors.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind } from '../engine/kind.ts'
import type { Log } from '../log.ts'
import { requestHash } from './request.ts'
import { covered } from './stage.ts'

/** Starts a validation by itself each `validation.every` of the rollout file. */
export interface Schedule {
  /** Called every few seconds with facts that were just read. Never rejects. */
  consider(facts: Facts): Promise<void>
}

/**
 * When the next validation starts by itself, as milliseconds since 1970: one interval after the last one of all layers
 * was asked for, or after the backfill ended. Null: none will, before the column is there and covered.
 */
export function dueAt(facts: Facts, lastAskedAt: string | null): number | null {
  if (!covered(facts) || facts.backfilled?.endedAt == null) return null
  const since = Math.max(Date.parse(facts.backfilled.endedAt), lastAskedAt === null ? 0 : Date.parse(lastAskedAt))
  return since + facts.rollout.file.validation.every * 1000
}

/** When a validation of all layers was last asked for, whatever became of it; ISO 8601. */
export async function lastAskedAt(sql: Sql, rollout: string): Promise<string | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select max(created_at) as at from sti.operation where rollout = ${rollout} and ${WHOLE(sql)}`
  return row?.at?.toISOString() ?? null
}

const WHOLE = (sql: Sql) => sql`kind = 'validation' and parameters->'layers' is null and parameters->'checks' is null`

export function createSchedule(parts: {
  readonly agent: string
  readonly state: Sql
  readonly validation: Kind
  readonly poke: () => void
  readonly log: Log
}): Schedule {
  const actor: Actor = { name: parts.agent, level: 'admin', via: 'agent' }
  const start = async (facts: Facts): Promise<void> => {
    const { rollout } = facts
    const parameters = { full: true }
    // A ramp lasts, and wants to hear what a validation finds meanwhile.
    if (facts.open.some((one) => one.kind !== 'flag') || parts.validation.refusals(facts, parameters).length > 0) return
    const due = dueAt(facts, await lastAskedAt(parts.state, rollout.name))
    // By this machine's clock, which may be another one: the statement asks the database's.
    if (due === null || due > Date.now() + 1_000) return
    const { every } = rollout.file.validation
    const reason = `scheduled, every ${every} s`
    // Of several agents one starts it: the key is the same for all of them in the same interval.
    const started = await parts.state<{ id: bigint }[]>`
      with started as (
        insert into sti.operation (rollout, kind, parameters, file_hash, writes_table, actor, reason, idempotency_key, request_hash)
        select ${rollout.name}, 'validation', ${parts.state.json(parameters)}::jsonb, ${rollout.hash}, false, ${parts.state.json(actor)}::jsonb, ${reason},
          format('schedule %s', floor(extract(epoch from clock_timestamp()) / ${every}::float8)),
          ${requestHash({ kind: 'validation', parameters, reason })}
        where not exists (select from sti.operation where rollout = ${rollout.name}
          and (kind <> 'flag' and state not in ('cancelled', 'succeeded', 'failed')
            or (${WHOLE(parts.state)} and created_at > clock_timestamp() - make_interval(secs => ${every}::float8))))
        on conflict do nothing
        returning *
      ), event as (
        select sti.append_event(s.id, s.rollout, s.actor, 'state', 'validation accepted', s.reason, null,
          jsonb_build_object('state', s.state, 'parameters', s.parameters)) from started s
      )
      select s.id from started s, event`
    if (started.length > 0) parts.poke()
  }
  return {
    async consider(facts) {
      await start(facts).catch((error: unknown) => {
        if (isAway(error)) return
        parts.log({ level: 'warning', message: 'a validation could not be scheduled', error: messageOf(error) })
      })
    },
  }
}
