import { agentActor, type OperationKind } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { endedStates } from '../database/endedStates.ts'
import { formatDuration } from '../format/format.ts'
import { isConnectionError, errorMessage } from '../database/errors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import type { Log } from '../log.ts'
import { rehearsalDueAt } from '../rollback/rehearsalStatus.ts'
import { hashOperationRequest } from './insertOperation.ts'
import { isCovered } from './rolloutStage.ts'

/** Starts validations and rehearsals automatically, each at its interval in the rollout file. */
export interface Scheduler {
  /** Called every few seconds with current facts. Never rejects. */
  startDueOperations(facts: RolloutFacts): Promise<void>
}

/** One kind of operation that starts automatically. */
interface ScheduledOperation {
  readonly kind: 'validation' | 'rehearsal'
  readonly parameters: Readonly<Record<string, unknown>>
  /** Open operations of these kinds do not delay it. */
  readonly concurrentWith: readonly OperationKind[]
  intervalSeconds(facts: RolloutFacts): number
  /** Milliseconds since 1970; null: none is due in the current state. */
  nextDueAt(facts: RolloutFacts, sql: Sql): Promise<number | null>
}

const SCHEDULED_VALIDATION: ScheduledOperation = {
  // A ramp takes long, and validations during the ramp decide on its steps.
  kind: 'validation',
  parameters: { full: true },
  concurrentWith: ['flag'],
  intervalSeconds: ({ rollout }) => rollout.file.validation.every,
  nextDueAt: async (facts, sql) =>
    isCovered(facts) ? nextValidationDueAt(facts, await readLastValidationRequestedAt(sql, facts.rollout.name)) : null,
}

const SCHEDULED_REHEARSAL: ScheduledOperation = {
  kind: 'rehearsal',
  parameters: {},
  concurrentWith: [],
  intervalSeconds: ({ rollout }) => rollout.file.rehearsal.every,
  nextDueAt: (facts) => Promise.resolve(rehearsalDueAt(facts)),
}

/**
 * When the next validation starts automatically, in milliseconds since 1970: one interval after the last complete
 * validation was requested, or after the backfill ended. Null: not scheduled before the column exists and is covered.
 */
export function nextValidationDueAt(facts: RolloutFacts, lastRequestedAt: string | null): number | null {
  const since = isCovered(facts) ? (facts.lastSucceededBackfill?.endedAt ?? null) : null
  if (since === null) return null
  const last = Math.max(Date.parse(since), lastRequestedAt === null ? 0 : Date.parse(lastRequestedAt))
  return last + SCHEDULED_VALIDATION.intervalSeconds(facts) * 1000
}

/** When a complete validation was last requested, whatever its outcome; ISO 8601. */
export async function readLastValidationRequestedAt(sql: Sql, rollout: string): Promise<string | null> {
  const [row] = await sql<{ at: Date | null }[]>`
    select max(created_at) as at from sti.operation where rollout = ${rollout} and ${isFullRun(sql, 'validation')}`
  return row?.at?.toISOString() ?? null
}

const isFullRun = (sql: Sql, kind: ScheduledOperation['kind']) =>
  sql`kind = ${kind} and parameters->'layers' is null and parameters->'checks' is null`

export function createScheduler(deps: {
  readonly agent: string
  readonly state: Sql
  readonly kinds: OperationDefinitions
  readonly poke: () => void
  readonly log: Log
}): Scheduler {
  const actor = agentActor(deps.agent)
  const start = async (scheduled: ScheduledOperation, facts: RolloutFacts): Promise<void> => {
    const { rollout } = facts
    const { kind, parameters } = scheduled
    if (
      facts.openOperations.some((open) => !scheduled.concurrentWith.includes(open.kind)) ||
      deps.kinds[kind].refusals(facts, parameters).length > 0
    )
      return
    const dueAtMs = await scheduled.nextDueAt(facts, deps.state)
    // The local clock may differ: the statement checks the clock of the database.
    if (dueAtMs === null || dueAtMs > Date.now() + 1_000) return
    const intervalSeconds = scheduled.intervalSeconds(facts)
    const reason = `scheduled every ${formatDuration(intervalSeconds)}`
    // Only one of several agents starts it: all use the same key within one interval.
    const inserted = await deps.state<{ id: bigint }[]>`
      with started as (
        insert into sti.operation (rollout, kind, parameters, file_hash, derivation_hash, writes_table, actor, reason, idempotency_key, request_hash)
        select ${rollout.name}, ${kind}::text, ${deps.state.json(parameters as never)}::jsonb, ${rollout.hash}, ${rollout.derivationHash}, false, ${deps.state.json(actor)}::jsonb, ${reason},
          format('schedule of %s %s', ${kind}::text, floor(extract(epoch from clock_timestamp()) / ${intervalSeconds}::float8)),
          ${hashOperationRequest({ kind, parameters, reason })}
        where not exists (select from sti.operation where rollout = ${rollout.name}
          and (kind <> 'flag' and state not in ${endedStates(deps.state)}
            or (${isFullRun(deps.state, kind)} and created_at > clock_timestamp() - make_interval(secs => ${intervalSeconds}::float8))))
        on conflict do nothing
        returning *
      ), event as (
        select sti.append_event(s.id, s.rollout, s.actor, 'state', s.kind || ' accepted', s.reason, null,
          jsonb_build_object('state', s.state, 'parameters', s.parameters)) from started s
      )
      select s.id from started s, event`
    if (inserted.length > 0) deps.poke()
  }
  return {
    async startDueOperations(facts) {
      for (const scheduled of [SCHEDULED_VALIDATION, SCHEDULED_REHEARSAL]) {
        await start(scheduled, facts).catch((error: unknown) => {
          if (isConnectionError(error)) return
          const message = `A ${scheduled.kind} could not be scheduled.`
          deps.log({ level: 'warning', message, error: errorMessage(error) })
        })
      }
    },
  }
}
