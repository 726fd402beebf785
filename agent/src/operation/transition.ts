import type { Actor, OperationState } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { endedStates } from '../database/endedStates.ts'
import type { OperationClaim } from '../kind/kind.ts'
import type { OperationRow } from './operationRow.ts'
import { TRANSITIONS, type TransitionCause } from './stateMachine.ts'

/** The message of a pause by an automatic rollback; it distinguishes it from the pause of a person. */
export const PAUSED_BY_ROLLBACK_MESSAGE = 'paused by an automatic rollback'

/** What a transition sets in addition to the state. */
export interface TransitionResult {
  readonly result?: Record<string, unknown>
  readonly errorCode?: string
  readonly error?: string
}

/**
 * Moves an operation by one cause: one guarded statement that writes state and event. Null if the cause does not apply
 * in its state, or if the claim was lost. If no agent may work on the operation any longer, its lanes are released from
 * all agents: the statement waits for a batch that is being written, and no other batch starts.
 */
export async function transitionOperation(
  sql: Sql,
  id: bigint,
  cause: TransitionCause,
  event: { actor: Actor; message: string; reason?: string | null },
  options: { claim?: OperationClaim; ending?: TransitionResult } = {},
): Promise<OperationRow | null> {
  const moves = Object.entries(TRANSITIONS[cause]) as [OperationState, OperationState][]
  const ending = options.ending ?? {}
  const [row] = await sql<OperationRow[]>`
    with was as (
      select id, state from sti.operation
      where id = ${id} and state in ${sql(moves.map(([from]) => from))}
        ${options.claim ? sql`and epoch = ${options.claim.epoch} and claim = ${options.claim.claim}` : sql``}
      for update
    ), moved as (
      update sti.operation o set
        state = move.target,
        result = coalesce(${ending.result ? sql.json(ending.result as never) : null}::jsonb, o.result),
        error_code = ${ending.errorCode ?? null},
        error = ${ending.error ?? null},
        ended_at = case when move.target in ${endedStates(sql)} then clock_timestamp() end,
        lease_until = case when move.target in ('running', 'pausing', 'cancelling') then o.lease_until end,
        claim = case when move.target in ('running', 'pausing', 'cancelling') then o.claim end
      from was join (values ${sql(moves)}) as move (source, target) on move.source = was.state
      where o.id = was.id
      returning o.*, was.state as before
    ), freed as (
      update sti.lane l set claim = null, agent = null, lease_until = null
      from moved m where l.operation_id = m.id and m.claim is null and l.relation is not null and l.claim is not null
    ), event as (
      select sti.append_event(m.id, m.rollout, ${sql.json(event.actor)}, 'state', ${event.message}, ${event.reason ?? null},
        jsonb_build_object('state', m.before), jsonb_build_object('state', m.state)) from moved m
    )
    select m.* from moved m, event`
  return row ?? null
}
