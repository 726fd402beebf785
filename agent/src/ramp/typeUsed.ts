import type { VariantComparison } from '../contract/index.ts'
import { formatCount } from '../format/format.ts'
import { isTypeUsed } from '../statements/usesOfType.ts'
import type { ValidationCheck } from '../validation/check.ts'

export const TYPE_USED = 'type-used'

/** Requests by type before a statement of theirs is expected. */
const MIN_REQUESTS = 20

/**
 * Requests by type have to use the discriminator. An ORM that read the columns of the table before `expand`, as Rails does
 * once per process, writes rows by type without it: they get the type of the defaults, and nothing fails. It only warns,
 * since an application can use the column in functions of the database alone.
 */
export const typeUsedCheck = ({ comparison }: { readonly comparison: VariantComparison | null }): ValidationCheck => ({
  name: TYPE_USED,
  layer: 'integrity',
  unit: 'count',
  async run({ sql, rollout, table }) {
    const requests = comparison?.on.requests ?? 0
    if (requests < MIN_REQUESTS) return null
    const isUsed = await isTypeUsed(sql, rollout, table)
    if (isUsed === null) return null
    const column = rollout.discriminator.sql
    return {
      verdict: isUsed ? 'pass' : 'inconclusive',
      value: requests,
      limit: null,
      detail: isUsed
        ? `statements of the application use column ${column}`
        : `${formatCount(requests)} requests were by type, but no statement in pg_stat_statements reads or writes column ${column}, so they may write rows with the type of the defaults: restart the processes that started before expand, since Rails, for example, keeps the columns of a table`,
    }
  },
})
