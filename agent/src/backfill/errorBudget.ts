import type { Sql } from '../database/connect.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { Rollout } from '../rollout/rollout.ts'

/**
 * Failed rows of this backfill against the file's error budget; rows that an admin accepted do not count.
 * @throws OperationFailure when there are more
 */
export async function enforceErrorBudget(sql: Sql, rollout: Rollout, operationId: bigint, rows: number): Promise<void> {
  const [counted] = await sql<{ rows: number }[]>`
    select count(*)::int as rows from sti.failed_row
    where rollout = ${rollout.name} and operation_id = ${operationId} and recovered_at is null and accepted_by is null`
  const { errorBudget } = rollout.file
  if (counted!.rows <= errorBudget * rows) return
  throw new OperationFailedError(
    'error-budget',
    `${counted!.rows} rows failed, more than the error budget of ${errorBudget} of ${rows} rows. ` +
      'Look at the failed rows, mend them or the rollout file, then start the backfill again: it skips what is right.',
  )
}
