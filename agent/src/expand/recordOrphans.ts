import { classifyError } from '../database/errors.ts'
import type { RunContext } from '../kind/kind.ts'
import { countOrphans, readForeignKeys } from '../rollout/foreignKeys.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Table } from '../rollout/rollout.ts'

/** Limit for counting the orphans of all foreign keys; the first validation counts those that take longer. */
const COUNT_TIMEOUT_MS = 10_000

/**
 * SQL that records how many rows of each foreign key reference a missing row before the first change: a validation judges
 * only those that are added. It runs after the table's origin was recorded, in the same transaction.
 */
export async function recordOrphansSql({ rollout, database }: RunContext, table: Table): Promise<string> {
  const sql = database.engine({ purpose: 'expand', readOnly: true, statementTimeoutMs: COUNT_TIMEOUT_MS })
  const deadline = Date.now() + COUNT_TIMEOUT_MS
  const counts: Record<string, number | null> = {}
  try {
    for (const key of (await readForeignKeys(sql, table)).filter(({ enforced }) => enforced)) {
      counts[key.name] = null
      if (key.unreadable !== null) continue
      try {
        counts[key.name] = (await countOrphans(sql, key, () => Date.now() < deadline))?.rows ?? null
      } catch (error) {
        // statement_timeout: the first validation has more time.
        if (classifyError(error) !== 'cancelled') throw error
      }
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
  return `update sti.table_origin set orphan_rows = ${quoteLiteral(JSON.stringify(counts))}::jsonb where rollout = ${quoteLiteral(rollout.name)}`
}
