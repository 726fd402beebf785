import type { ReversibleChange } from '../ddl/transactional.ts'
import type { JournaledChange, Prefill } from '../kind/facts.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

/**
 * The new column, nullable. With a prefill the rows that exist read as that type from then on: PostgreSQL keeps a
 * constant default of ADD COLUMN in the catalog and touches no row. The default itself goes at once, and with it in the
 * same transaction comes the trigger: no row that is written later holds the constant unasked.
 */
export function addColumnChange({ table, discriminator }: Rollout, prefill: Prefill | null): ReversibleChange {
  const { sql: column, dataType } = discriminator
  const add = `alter table ${table.sql} add column ${column} ${dataType}`
  return {
    kind: 'column',
    object: `${table.sql}.${column}`,
    statement:
      prefill === null
        ? add
        : `${add} default ${quoteLiteral(prefill.type)}::${dataType};\n` +
          `alter table ${table.sql} alter column ${column} drop default`,
    inverse: `alter table ${table.sql} drop column if exists ${column}`,
    before: { existed: false, prefill },
    definitionSql: catalogDefinition.column(table.sql, discriminator.column),
    definitionAfterRevert: null,
  }
}

/** The prefill that a journaled column was added with, or null. */
export function readJournaledPrefill(change: Pick<JournaledChange, 'before'>): Prefill | null {
  return (change.before as { prefill?: Prefill | null } | null)?.prefill ?? null
}
