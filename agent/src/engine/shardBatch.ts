import { shardTransaction } from '../citus/shardTransaction.ts'
import type { Sql } from '../database/connect.ts'
import { errorCode, errorMessage, isConnectionError } from '../database/errors.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { FENCE_LOST_SQLSTATE, FenceLostError } from '../kind/operationErrors.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { replaceParameters } from '../rollout/sqlParser.ts'
import { fenceParameters, LANE_FENCE_CONDITION, type Lane } from './lane.ts'

interface ShardStatement {
  readonly statement: string
  readonly values: readonly (string | null)[]
  readonly flush: boolean
  readonly lockTimeoutMs: number
}

/**
 * Runs the statement of a batch on a table whose rows are in shards of Citus: fence, rows and checkpoint are one transaction
 * over all nodes. A row that somebody holds is waited for on its node, at most as long as on any other table.
 * @throws FenceLostError if another agent holds the lane; nothing was written
 */
export async function runShardBatch<T>(
  sql: Sql,
  lane: Lane,
  { statement, values, flush, lockTimeoutMs }: ShardStatement,
): Promise<T> {
  const literal = (parameters: readonly (string | null)[]) => (number: number) => {
    const value = parameters[number - 1] ?? null
    return value === null ? 'null' : quoteLiteral(value)
  }
  const condition = replaceParameters(LANE_FENCE_CONDITION, literal(fenceParameters(lane, lane.position, flush)))
  const text = shardTransaction({
    settings: {
      lock_timeout: `${lockTimeoutMs}ms`,
      '"sti.engine"': 'on',
      synchronous_commit: flush ? 'on' : 'off',
    },
    fence: `do $fence$ begin
      perform from sti.lane l where ${condition} for update;
      if not found then raise exception 'another agent has taken this lane over' using errcode = '${FENCE_LOST_SQLSTATE}'; end if;
    end $fence$`,
    statement: replaceParameters(statement, literal(values)),
  })
  try {
    const results = (await sql.unsafe(text)) as unknown as T[][]
    // The driver adds no result for a statement without rows, such as COMMIT.
    return onlyRow(results.at(-1)!)
  } catch (error) {
    // No other code uses the connection, so this ends the failed transaction and nothing else.
    await sql.unsafe('rollback').catch((cause: unknown) => {
      if (!isConnectionError(cause)) throw cause
    })
    if (errorCode(error) === FENCE_LOST_SQLSTATE) throw new FenceLostError(errorMessage(error))
    throw error
  }
}
