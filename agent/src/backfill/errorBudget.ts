import { describeFailedRows } from '../measure/errorBudget.ts'
import type { RunContext } from '../kind/kind.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'

/**
 * Compares the failed rows of this backfill with the error budget of the rollout file. Rows that an admin accepted do not
 * count.
 * @throws OperationFailedError `error-budget`
 */
export async function enforceErrorBudget({ database, rollout, operation }: RunContext, rows: number): Promise<void> {
  const [failed] = await database.state<{ rows: number }[]>`
    select count(*)::int as rows from sti.failed_row
    where rollout = ${rollout.name} and operation_id = ${operation.id} and recovered_at is null and accepted_by is null`
  const { errorBudget } = rollout.file
  if (failed!.rows <= errorBudget * rows) return
  throw new OperationFailedError(
    'error-budget',
    `${describeFailedRows(failed!.rows, rows, errorBudget)}. Fix the failed rows or the rollout file, then start the backfill again: it skips rows that are right.`,
  )
}
