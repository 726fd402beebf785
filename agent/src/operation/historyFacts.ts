import { isEnded, type Operation, type RollbackScope } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { endedStates } from '../database/endedStates.ts'
import { DERIVE_TRIGGER_NAME } from '../rollout/laterTriggers.ts'
import type { HistoryFacts } from '../kind/facts.ts'
import { toOperation, type OperationRow } from './operationRow.ts'

interface WriteHistoryRow {
  readonly ended: Date | null
  readonly derives: boolean
  readonly backfill: bigint | null
  readonly rehearsal: Date | null
}

export async function readHistoryFacts(state: Sql, rollout: string): Promise<HistoryFacts> {
  const [operations, [writes]] = await Promise.all([
    state<OperationRow[]>`
      select * from sti.operation o where rollout = ${rollout} and (
        state not in ${endedStates(state)}
        or id in (select max(id) from sti.operation where rollout = ${rollout} and state = 'succeeded'
          and parameters->'failedRowsOnly' is null group by kind, parameters->>'scope'))
      order by id`,
    state<WriteHistoryRow[]>`
      select max(ended_at) filter (where kind in ('backfill', 'rollback')) as ended,
        max(id) filter (where kind = 'backfill') as backfill, max(created_at) filter (where kind = 'rehearsal') as rehearsal,
        coalesce(max(id) filter (where kind in ('expand', 'backfill') and started_at is not null), 0)
          > coalesce(max(id) filter (where kind = 'rollback' and state = 'succeeded'
            and strpos(coalesce(result->>'left', ''), ${DERIVE_TRIGGER_NAME}) = 0), 0) as derives
      from sti.operation where rollout = ${rollout}
        and (kind in ('expand', 'backfill', 'rehearsal') or kind = 'rollback' and parameters->>'scope' in ('data', 'system'))`,
  ])
  const succeeded = operations.filter((row) => row.state === 'succeeded').map(toOperation)
  const { ended, derives, backfill, rehearsal } = writes!
  return {
    openOperations: operations.filter((row) => !isEnded(row.state)).map(toOperation),
    succeededOperations: succeeded,
    lastSucceededBackfill: succeeded.findLast(({ kind }) => kind === 'backfill') ?? null,
    lastBackfillId: backfill === null ? null : Number(backfill),
    // A rollback of the system rolls back the data, too.
    lastDataRollback: lastRollback(succeeded, 'data', 'system'),
    lastFlagRollback: lastRollback(succeeded, 'flag'),
    rehearsalRequestedAt: rehearsal?.toISOString() ?? null,
    lastWriteEndedAt: ended?.toISOString() ?? null,
    mayHoldDerivedValues: derives,
  }
}

function lastRollback(succeeded: readonly Operation[], ...scopes: RollbackScope[]): Operation | null {
  return (
    succeeded.findLast(
      ({ kind, parameters }) => kind === 'rollback' && scopes.some((scope) => parameters['scope'] === scope),
    ) ?? null
  )
}
