import { agentActor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { OperationRow } from './operationRow.ts'
import { TRANSITIONS } from './stateMachine.ts'

export interface Claimant {
  readonly agent: string
  /** Rollout name to `derivationHash`: an operation that is bound to another one is not claimed. */
  readonly derivationHashes: ReadonlyMap<string, string>
  readonly leaseSeconds: number
}

/**
 * Claims one operation that is queued, or whose lease has expired by the clock of the database. From then on, fenced
 * statements of the previous holder change nothing.
 */
export async function claimOperation(sql: Sql, claimant: Claimant): Promise<OperationRow | null> {
  const pairs = [...claimant.derivationHashes]
  if (pairs.length === 0) return null
  const [row] = await sql<OperationRow[]>`
    with candidate as (
      select o.id, o.state from sti.operation o join (values ${sql(pairs)}) as file (rollout, derivation_hash)
        on file.rollout = o.rollout and file.derivation_hash = o.derivation_hash
      where o.state = 'queued'
        or (o.state in ('running', 'pausing', 'cancelling') and coalesce(o.lease_until, '-infinity') < clock_timestamp())
      order by o.id limit 1 for update of o skip locked
    ), claimed as (
      update sti.operation o set
        state = move.target, agent = ${claimant.agent}, claim = gen_random_uuid(), epoch = o.epoch + 1,
        lease_until = clock_timestamp() + make_interval(secs => ${claimant.leaseSeconds}),
        started_at = coalesce(o.started_at, clock_timestamp())
      from candidate join (values ${sql(Object.entries(TRANSITIONS.claim))}) as move (source, target) on move.source = candidate.state
      where o.id = candidate.id
      returning o.*, candidate.state as before
    ), event as (
      select sti.append_event(c.id, c.rollout, ${sql.json(agentActor(claimant.agent))}, 'state',
        case when c.before = 'queued' then 'claimed' else 'taken over: the lease of its holder expired' end, null,
        jsonb_build_object('state', c.before), jsonb_build_object('state', c.state, 'epoch', c.epoch)) from claimed c
    )
    select c.* from claimed c, event`
  return row ?? null
}

export interface Heartbeat {
  readonly state: OperationRow['state']
  readonly parameters: Record<string, unknown>
}

/** Extends the lease, saves step and progress, and adds to the seconds of work. Null: another agent holds the operation now. */
export async function renewOperationLease(
  sql: Sql,
  row: OperationRow,
  status: { step: string | null; progress: OperationRow['progress']; workedSeconds: number },
  leaseSeconds: number,
): Promise<Heartbeat | null> {
  const [renewed] = await sql<Heartbeat[]>`
    update sti.operation set lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds}),
      step = ${status.step}, progress = ${status.progress === null ? null : sql.json(status.progress)},
      worked_seconds = worked_seconds + ${status.workedSeconds}::float8
    where id = ${row.id} and epoch = ${row.epoch} and claim = ${row.claim} and state in ('running', 'pausing', 'cancelling')
    returning state, parameters`
  return renewed ?? null
}

/** Releases the operation in `afterSeconds`, so that any agent can claim it. */
export async function releaseOperation(sql: Sql, row: OperationRow, afterSeconds: number): Promise<void> {
  await sql`
    update sti.operation set lease_until = clock_timestamp() + make_interval(secs => ${afterSeconds})
    where id = ${row.id} and epoch = ${row.epoch} and claim = ${row.claim}`
}
