import { shardTransaction } from '../citus/shardTransaction.ts'
import type { Sql } from '../database/connect.ts'
import { errorCode, errorMessage, isConnectionError } from '../database/errors.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { asciiLiteral } from '../database/sqlLiteral.ts'
import { FENCE_LOST_SQLSTATE, FenceLostError } from '../kind/operationErrors.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { parseParameters } from '../rollout/sqlParser.ts'
import { fenceParameters, LANE_FENCE_CONDITION, type Lane } from './lane.ts'

interface ShardStatements {
  /** Writes the rows. */
  readonly rows: string
  /** Moves the lane and returns the result of the batch, with an SQL expression for the number of written rows. */
  checkpoint(writtenRows: string): string
  readonly values: readonly (string | null)[]
  readonly flush: boolean
  readonly lockTimeoutMs: number
}

/** Parsing takes milliseconds. Few statements differ in anything but their parameters: the stripes and sizes of one table. */
const MAX_PARSED_STATEMENTS = 50
const parsedStatements = new Map<string, ReturnType<typeof parseParameters>>()

function parseOnce(statement: string): ReturnType<typeof parseParameters> {
  const parsed = parsedStatements.get(statement) ?? parseParameters(statement)
  if (parsedStatements.size >= MAX_PARSED_STATEMENTS) parsedStatements.clear()
  parsedStatements.set(statement, parsed)
  return parsed
}

/** Set for the rest of the transaction: the rows that the batch has written. */
const WRITTEN_ROWS_SETTING = 'sti.written_rows'

/**
 * Runs the statements of a batch on a table whose rows are in shards of Citus: fence, rows and checkpoint are one transaction
 * over all nodes, sent as one text. The nodes return the number of rows only, since Citus would store what RETURNING gives
 * on the coordinator. A row that somebody holds is waited for on its node, at most as long as on any other table.
 * @throws FenceLostError if another agent holds the lane; nothing was written
 */
export async function runShardBatch<T>(
  sql: Sql,
  lane: Lane,
  { rows, checkpoint, values, flush, lockTimeoutMs }: ShardStatements,
): Promise<T> {
  const replaceParameters = (statement: string, value: (number: number) => string): string =>
    parseOnce(statement)(value)
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
    work: `do ${asciiLiteral(`#variable_conflict use_column
      declare sti_rows bigint; begin
      perform from sti.lane l where ${condition} for update;
      if not found then raise exception 'another agent has taken this lane over' using errcode = '${FENCE_LOST_SQLSTATE}'; end if;
      ${replaceParameters(rows, literal(values))};
      get diagnostics sti_rows = row_count;
      perform set_config('${WRITTEN_ROWS_SETTING}', sti_rows::text, true);
    end`)}`,
    checkpoint: replaceParameters(checkpoint(`current_setting('${WRITTEN_ROWS_SETTING}')::bigint`), literal(values)),
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
