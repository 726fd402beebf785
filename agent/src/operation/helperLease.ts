import type { OperationKind } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Claimant, Heartbeat } from './operationLease.ts'
import type { OperationRow } from './operationRow.ts'

/** The lease of an agent that helps with an operation of another agent. */
export interface HelperLease {
  readonly row: OperationRow
  readonly number: number
  readonly claim: string
}

/**
 * Acquires a free helper lease of an operation of another agent that allows helpers (`agents` above 1) and has a free
 * lane. Each agent holds at most one lease per operation.
 */
export async function acquireHelperLease(
  sql: Sql,
  claimant: Claimant,
  kinds: readonly OperationKind[],
): Promise<HelperLease | null> {
  const pairs = [...claimant.derivationHashes]
  if (pairs.length === 0 || kinds.length === 0) return null
  const [acquired] = await sql<(OperationRow & { lease_number: number; lease_claim: string })[]>`
    with offered as (
      select o.*, (o.parameters->>'agents')::int as agents
      from sti.operation o join (values ${sql(pairs)}) as file (rollout, derivation_hash)
        on file.rollout = o.rollout and file.derivation_hash = o.derivation_hash
      where o.state = 'running' and o.kind in ${sql(kinds)} and o.lease_until > clock_timestamp()
        and o.agent <> ${claimant.agent} and (o.parameters->>'agents')::int > 1
        and exists (select from sti.lane l where l.operation_id = o.id and l.relation is not null and not l.finished and l.claim is null)
        and not exists (select from sti.helper_lease s where s.operation_id = o.id and s.agent = ${claimant.agent} and s.lease_until > clock_timestamp())
      order by o.id limit 1
    ), taken as (
      insert into sti.helper_lease as s (operation_id, number, agent, claim, lease_until)
      select o.id, n, ${claimant.agent}, gen_random_uuid(), clock_timestamp() + make_interval(secs => ${claimant.leaseSeconds})
      from offered o, generate_series(1, o.agents - 1) n
      where not exists (select from sti.helper_lease s where s.operation_id = o.id and s.number = n and s.lease_until > clock_timestamp())
      order by n limit 1
      on conflict (operation_id, number) do update set agent = excluded.agent, claim = excluded.claim, lease_until = excluded.lease_until
        where s.lease_until <= clock_timestamp()
      returning s.number, s.claim
    )
    select o.*, t.number as lease_number, t.claim as lease_claim from offered o, taken t`
  // Only the holder reports progress.
  return acquired
    ? { row: { ...acquired, progress: null }, number: acquired.lease_number, claim: acquired.lease_claim }
    : null
}

/** Renews the lease, and reads pause and cancel requests. Null: the operation ended, or another agent has the lease. */
export async function renewHelperLease(
  sql: Sql,
  { row, number, claim }: HelperLease,
  leaseSeconds: number,
): Promise<Heartbeat | null> {
  const [renewed] = await sql<Heartbeat[]>`
    with kept as (
      update sti.helper_lease set lease_until = clock_timestamp() + make_interval(secs => ${leaseSeconds})
      where operation_id = ${row.id} and number = ${number} and claim = ${claim}
      returning operation_id
    )
    select o.state, o.parameters from sti.operation o, kept
    where o.id = kept.operation_id and o.state in ('running', 'pausing', 'cancelling')`
  return renewed ?? null
}

/** Releases the lease in `afterSeconds`. */
export async function releaseHelperLease(
  sql: Sql,
  { row, number, claim }: HelperLease,
  afterSeconds: number,
): Promise<void> {
  await sql`update sti.helper_lease set lease_until = clock_timestamp() + make_interval(secs => ${afterSeconds})
    where operation_id = ${row.id} and number = ${number} and claim = ${claim}`
}
