import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import type { Prefill } from '../engine/facts.ts'
import { createFeedback } from '../engine/feedback.ts'
import { keyAsJson } from '../engine/keys.ts'
import { inRange, type Walked } from '../engine/range.ts'
import { walk, type Walk } from '../engine/walk.ts'
import { literal } from '../rollout/names.ts'
import type { Rollout } from '../rollout/rollout.ts'

export interface ArchiveJob {
  readonly sql: Sql
  readonly rollout: Rollout
  readonly walked: Walked
  readonly operationId: bigint
  readonly goOn: Walk['goOn']
  passed(rows: number): void
  /** While rows still hold the constant of a prefill it says nothing: nobody wrote it, so it is not archived. */
  readonly prefilled: Prefill | null
}

/**
 * Keeps the values of the discriminator that the legacy columns cannot express: those that differ from what they say.
 * Answers how many, or null when it was asked to stop. Run again it adds nothing twice.
 */
export async function archiveInexpressible(job: ArchiveJob): Promise<number | null> {
  const { sql, rollout, walked, operationId } = job
  const type = `t.${rollout.discriminator.sql}`
  const constant =
    job.prefilled === null ? '' : ` and ${type} <> ${literal(job.prefilled.type)}::${rollout.discriminator.dataType}`
  const finished = await walk({
    sql,
    walked,
    from: null,
    to: null,
    goOn: job.goOn,
    retried: () => undefined,
    feedback: createFeedback(10_000, 100_000, 0.25),
    async work(range) {
      const { condition, values } = inRange(walked, range, 3)
      await sql.unsafe(
        `insert into sti.archive (rollout, operation_id, key, type, expected)
         select $1::text, $2::text::bigint, ${keyAsJson(walked.key, 't')}, ${type}::text, (${rollout.derive('t')})::text
         from ${walked.table.sql} as t
         where ${condition} and ${type} is not null${constant} and ${type} is distinct from ${rollout.derive('t')}
         on conflict do nothing`,
        [rollout.name, String(operationId), ...values],
        { prepare: true },
      )
      job.passed(range.rows)
    },
    async poison({ range }) {
      // The expression raises on this row: whatever type it holds is not what the legacy columns say.
      const { condition, values } = inRange(walked, range, 3)
      await sql.unsafe(
        `insert into sti.archive (rollout, operation_id, key, type, expected)
         select $1::text, $2::text::bigint, ${keyAsJson(walked.key, 't')}, ${type}::text, null
         from ${walked.table.sql} as t where ${condition} and ${type} is not null${constant} on conflict do nothing`,
        [rollout.name, String(operationId), ...values],
      )
    },
  })
  if (!finished) return null
  const answer = await sql<{ rows: number }[]>`
    select count(*)::int as rows from sti.archive where rollout = ${rollout.name} and operation_id = ${operationId}`
  return onlyRow(answer).rows
}
