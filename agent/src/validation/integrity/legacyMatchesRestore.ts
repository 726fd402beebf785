import { formatQuantity } from '../../format/format.ts'
import { keyColumns } from '../../engine/keys.ts'
import { tagStatement } from '../../database/tagStatement.ts'
import { restoreDiffersSql } from '../../rollout/contentLoss.ts'
import type { ValidationCheck } from '../check.ts'

/**
 * Counts rows whose legacy columns hold something else than `restore` of their type. Always passes: such a row has the right
 * type, and nothing distinguishes a value that old code wrote from one that a missing restore left behind. The number says
 * what a write of the type alone would replace, and what the column drop would ask an admin to accept.
 */
export const legacyMatchesRestore: ValidationCheck = {
  name: 'legacy-matches-restore',
  layer: 'integrity',
  unit: 'count',
  needsScan: true,
  run({ scan, rollout, table }) {
    const differs = restoreDiffersSql(rollout, table)
    // Without constants, a write of the type replaces nothing that the row does not express.
    if (differs === 'false') return Promise.resolve(null)
    const { beyondRestore } = scan()
    const key = keyColumns(table.key, 't').join(', ')
    return Promise.resolve({
      verdict: 'pass',
      value: beyondRestore,
      limit: null,
      detail:
        beyondRestore === 0
          ? 'every legacy column has the value that restore gives its type'
          : `${formatQuantity(beyondRestore, 'row')} with a legacy value other than the restore of their type, which a write of that type would replace`,
      query: tagStatement(`select ${key} from ${rollout.table.sql} as t where ${differs}`),
    })
  },
}
