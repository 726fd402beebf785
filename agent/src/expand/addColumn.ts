import type { ReversibleChange } from '../ddl/transactional.ts'
import type { JournaledChange, Prefill } from '../kind/facts.ts'
import { catalogDefinition } from '../ddl/catalogDefinition.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

/**
 * Adds the nullable column. With a prefill, existing rows read as that type: PostgreSQL stores a constant default of ADD
 * COLUMN in the catalog and rewrites no row. The default is dropped and the trigger created in the same transaction, so
 * rows that are written later never get the constant.
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

/** Reads the prefill of a journaled column; null if it has none. */
export function readJournaledPrefill(change: Pick<JournaledChange, 'before'>): Prefill | null {
  return (change.before as { prefill?: Prefill | null } | null)?.prefill ?? null
}
