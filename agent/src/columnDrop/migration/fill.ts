import { literal } from '../../rollout/names.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { archiveTable, keptOf, sameKey } from '../archive/names.ts'
import type { LegacyColumn } from '../catalog/legacy.ts'
import { counting, follow } from './again.ts'
import { filled } from './filled.ts'
import { block } from './statements.ts'
import type { MigrationSource } from './write.ts'

/** Said by the first block: the columns were there before, so that nothing may be written to them. */
export const WERE_THERE = 'sti.columns_were_there'

/**
 * Fills the columns that were just added. A row of the archive gets what it had, unless new code has given it another
 * type since: then `restore` of that type overrides. A row that came since gets `restore` of its type, and for what that
 * does not name the column's default.
 */
export function fill({ rollout, table, catalog }: MigrationSource): string {
  const { sql: name } = rollout.table
  const archive = archiveTable(rollout).sql
  const columns = catalog.relations[0]!.columns
  const type = rollout.discriminator.sql
  const set = (value: (column: LegacyColumn) => string): string =>
    columns.map((column) => `  ${column.sql} = ${value(column)}`).join(',\n')
  const fromArchive = set((column) => {
    const restored = restoring(rollout, column)
    return restored.length === 0
      ? `k.${column.sql}`
      : `case when t.${type} is not distinct from k.${type} then k.${column.sql} ${restored.join(' ')} else k.${column.sql} end`
  })
  const fromType = set((column) => {
    const restored = restoring(rollout, column)
    const counted = column.identity === null ? column.default : `nextval(${literal(counting(column)!)})`
    const otherwise = counted === null ? `null::${filled(column)}` : `cast(${counted} as ${filled(column)})`
    return restored.length === 0 ? otherwise : `case ${restored.join(' ')} else ${otherwise} end`
  })
  const kept = keptOf(rollout, table)
  return block(
    [
      `if current_setting('${WERE_THERE}', true) = 'yes' then raise notice 'the legacy columns are there already: no row is written'; return; end if;`,
      `if to_regclass(${literal(archive)}) is null then`,
      `  update ${name} as t set`,
      `${fromType};`,
      '  return;',
      'end if;',
      `update ${name} as t set`,
      fromArchive,
      `from ${archive} as k where ${sameKey(kept, 'k', 't')};`,
      'get diagnostics written = row_count;',
      `raise notice '% rows have back what the archive kept of them', written;`,
      ...columns.flatMap((column) => {
        const sequence = counting(column)
        return sequence === null ? [] : [`${follow(name, column, sequence, 'perform')};`]
      }),
      `update ${name} as t set`,
      fromType,
      `where not exists (select from ${archive} as k where ${sameKey(kept, 'k', 't')});`,
      'get diagnostics written = row_count;',
      `raise notice '% rows that came since have what their type says', written;`,
    ],
    ['written bigint'],
  )
}

function restoring(rollout: Rollout, column: LegacyColumn): string[] {
  const { sql, dataType } = rollout.discriminator
  return rollout.types.flatMap((type) => {
    const constant = rollout.restoreOf(type)?.get(column.name)
    if (constant === undefined) return []
    // A comment in the file's constant ends with its line.
    return [`when t.${sql} = ${literal(type)}::${dataType} then cast(${constant}\n as ${filled(column)})`]
  })
}
