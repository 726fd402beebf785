import { formatQuantity } from '../../format/format.ts'
import type { Sql } from '../../database/connect.ts'
import { dryRun } from '../../rollout/dryRun.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'
import { migrationRefusals } from '../migration/migrationNotes.ts'
import { explainDefaultSql } from '../migration/restoreValues.ts'
import type { DropCheck, TableContext } from './dropCheck.ts'

export const undoPossible: DropCheck<TableContext> = {
  name: 'undo-possible',
  question: 'Can the undo restore every row, including rows inserted after the drop?',
  async run({ sql, rollout, table, catalog }) {
    const refusals = [
      ...migrationRefusals(rollout, table, catalog),
      ...(table.citus === null ? [] : await defaultRefusals(sql, rollout, catalog)),
    ]
    if (refusals.length > 0) {
      const summary = `the undo could not restore ${formatQuantity(refusals.length, 'column')}`
      const evidence = refusals.join(' ').replace(/\.$/, '')
      return { verdict: 'fail', summary, evidence, findings: refusals }
    }
    return {
      verdict: 'pass',
      evidence:
        'a row that is not in the archive gets every legacy column from restore in the rollout file, a default, or NULL',
    }
  },
}

const FEATURE_NOT_SUPPORTED = '0A000'

/** Defaults that Citus cannot compute for the rows of several shards. */
async function defaultRefusals(sql: Sql, rollout: Rollout, { relations }: LegacyCatalog): Promise<string[]> {
  const refusals: string[] = []
  for (const column of relations[0]?.columns ?? []) {
    if (column.default === null || column.identity !== null) continue
    const result = await dryRun(sql, [explainDefaultSql(rollout.table.sql, column)])
    if (!('refused' in result)) continue
    const what = `Column ${column.sql} has the default ${column.default}`
    refusals.push(
      result.sqlstate === FEATURE_NOT_SUPPORTED
        ? `${what}, which Citus cannot give to the rows that new code inserts after the drop: ${result.refused}. Give the column a constant default.`
        : `${what}, and it is unknown if Citus can give it to the rows that new code inserts after the drop: ${result.refused}.`,
    )
  }
  return refusals
}
