import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import type { Prefill } from '../kind/facts.ts'
import { createBatchSizeController } from '../engine/batchSizeController.ts'
import { keyAsJson } from '../engine/keys.ts'
import { rangeCondition, type KeyedTable } from '../engine/keyRange.ts'
import { walkRanges, type RangeWalk } from '../engine/rangeWalk.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

export interface ArchiveValuesJob {
  readonly sql: Sql
  readonly rollout: Rollout
  readonly walked: KeyedTable
  readonly operationId: bigint
  readonly mayContinue: RangeWalk['mayContinue']
  readonly lockWaits: RangeWalk['lockWaits']
  passed(rows: number): void
  /** Rows that still hold the constant of a prefill are not archived, since nobody wrote it. */
  readonly prefilled: Prefill | null
}

/** SQL: the type of row `t` is archived, since its legacy columns imply another one and somebody wrote it. */
export function isInexpressible(rollout: Rollout, prefilled: Prefill | null): string {
  const type = `t.${rollout.discriminator.sql}`
  return `${type} is not null${notPrefilledCondition(rollout, prefilled)} and ${type} is distinct from ${rollout.derive('t')}`
}

function notPrefilledCondition({ discriminator }: Rollout, prefilled: Prefill | null): string {
  return prefilled === null
    ? ''
    : ` and t.${discriminator.sql} <> ${quoteLiteral(prefilled.type)}::${discriminator.dataType}`
}

/**
 * Archives the types that the legacy columns cannot express, because they imply a different one. Idempotent.
 * Returns the number of archived values, or null if stopped on request.
 */
export async function archiveInexpressibleValues(job: ArchiveValuesJob): Promise<number | null> {
  const { sql, rollout, walked, operationId } = job
  const type = `t.${rollout.discriminator.sql}`
  const notPrefilled = notPrefilledCondition(rollout, job.prefilled)
  const finished = await walkRanges({
    sql,
    target: walked,
    from: null,
    to: null,
    mayContinue: job.mayContinue,
    onRetry: () => undefined,
    lockWaits: job.lockWaits,
    sizeController: createBatchSizeController(10_000, 100_000, 0.25),
    async processCountedRange(range) {
      const { condition, values } = rangeCondition(walked, range, 3)
      await sql.unsafe(
        `insert into sti.archived_type (rollout, operation_id, key, stored_type, legacy_type)
         select $1::text, $2::text::bigint, ${keyAsJson(walked.key, 't')}, ${type}::text, (${rollout.derive('t')})::text
         from ${walked.table.sql} as t
         where ${condition} and ${isInexpressible(rollout, job.prefilled)}
         on conflict do nothing`,
        [rollout.name, String(operationId), ...values],
        { prepare: true },
      )
      job.passed(range.rows)
    },
    async handlePoisonRow({ range }) {
      // The expression raises an error on this row, so the legacy columns cannot express its type.
      const { condition, values } = rangeCondition(walked, range, 3)
      await sql.unsafe(
        `insert into sti.archived_type (rollout, operation_id, key, stored_type, legacy_type)
         select $1::text, $2::text::bigint, ${keyAsJson(walked.key, 't')}, ${type}::text, null
         from ${walked.table.sql} as t where ${condition} and ${type} is not null${notPrefilled} on conflict do nothing`,
        [rollout.name, String(operationId), ...values],
      )
    },
  })
  if (!finished) return null
  const answer = await sql<{ rows: number }[]>`
    select count(*)::int as rows from sti.archived_type where rollout = ${rollout.name} and operation_id = ${operationId}`
  return onlyRow(answer).rows
}
