import type { Operation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { readJournaledPrefill } from '../expand/addColumn.ts'
import type { DiscriminatorFacts, JournaledChange, JournalFacts } from '../kind/facts.ts'
import { isMonitoringChange } from '../monitoring/readMonitoring.ts'
import type { Table } from '../rollout/rollout.ts'

/** A change with the operation that made it. */
type OwnedChange = JournaledChange & { readonly operationId: number }

type JournaledChangeRow = Omit<JournaledChange, 'appliedAt' | 'confirmed'> & {
  readonly operation_id: bigint
  readonly applied_at: Date
  readonly confirmed_at: Date | null
}

export async function readJournalFacts(
  state: Sql,
  rollout: string,
): Promise<JournalFacts & { readonly monitoringChanges: readonly OwnedChange[] }> {
  const changes = await state<JournaledChangeRow[]>`
      select id, kind, object, statement, inverse, before, definition_sql as "definitionSql", definition_after_apply as "definitionAfterApply",
        definition_after_revert as "definitionAfterRevert", applied_at, confirmed_at, operation_id from sti.change
      where rollout = ${rollout} and reverted_at is null order by id`
  const unrevertedChanges = changes.map(({ applied_at, confirmed_at, operation_id, ...change }) => ({
    ...change,
    operationId: Number(operation_id),
    appliedAt: applied_at.toISOString(),
    confirmed: confirmed_at !== null,
  }))
  return {
    changes: unrevertedChanges.filter((change) => !isMonitoringChange(change)),
    monitoringChanges: unrevertedChanges.filter(isMonitoringChange),
  }
}

/** When the column was added, and the constant that rows may still hold since then. */
export function discriminatorFacts(
  table: Table | null,
  changes: readonly JournaledChange[],
  lastBackfill: Operation | null,
): DiscriminatorFacts {
  const added = changes.findLast((change) => change.kind === 'column')
  if (added === undefined || table?.discriminator == null) return { columnAddedAt: null, activePrefill: null }
  const complete = lastBackfill?.endedAt != null && lastBackfill.endedAt > added.appliedAt
  return { columnAddedAt: added.appliedAt, activePrefill: complete ? null : readJournaledPrefill(added) }
}
