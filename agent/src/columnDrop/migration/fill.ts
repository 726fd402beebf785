import { literal } from '../../rollout/names.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { archiveTable, keptOf, sameKey, type Kept } from '../archive/names.ts'
import type { LegacyColumn } from '../catalog/legacy.ts'
import { counting, follow } from './again.ts'
import { collated, filled } from './filled.ts'
import { block } from './statements.ts'
import type { MigrationSource } from './write.ts'

/** Said by the first block: the columns were there before, so that nothing may be written to them. */
export const WERE_THERE = 'sti.columns_were_there'

/**
 * Fills the columns that were just added. A row of the archive gets what it had, unless new code has given it another
 * type since: then `restore` of that type overrides. A row that came since gets `restore` of its type, and for what that
 * does not name the column's default.
 */
export function fill(source: MigrationSource): string {
  const { rollout, table } = source
  const archive = archiveTable(rollout).sql
  const kept = keptOf(rollout, table)
  const guard = `if current_setting('${WERE_THERE}', true) = 'yes' then raise notice 'the legacy columns are there already: no row is written'; return; end if;`
  const body = rewrites(source) ? rewritten(source, archive, kept) : updated(source, archive, kept)
  return block([guard, ...body], ['written bigint'])
}

/** Subscribers see what an UPDATE writes, and nothing of a rewrite. */
export function rewrites({ rollout, catalog }: Pick<MigrationSource, 'rollout' | 'catalog'>): boolean {
  const { columns } = catalog.relations[0]!
  const restored = (name: string): boolean => rollout.types.every((type) => rollout.restoreOf(type)?.has(name) === true)
  return !catalog.published && columns.every(({ name, sequence }) => sequence === null && restored(name))
}

/** Whether the legacy columns of a row and of its archived one are not the same, byte by byte. */
const unlike = (columns: readonly LegacyColumn[]): string => {
  const row = (alias: string): string => `row(${columns.map(({ sql }) => `${alias}.${sql}`).join(', ')})::record`
  return `${row('t')} operator(pg_catalog.*<>) ${row('k')}`
}

/**
 * Where `restore` names every column the table is rewritten once with what it says, which takes a fraction of an UPDATE's
 * time and leaves no dead rows; then only those rows are written that had something else.
 */
function rewritten({ rollout, catalog }: MigrationSource, archive: string, kept: Kept): string[] {
  const { sql: name } = rollout.table
  const columns = catalog.relations[0]!.columns
  const type = rollout.discriminator.sql
  const types = columns.map(
    (column) =>
      `  alter column ${column.sql} type ${filled(column)}${collated(column)} using case ${restoring(rollout, column, '').join(' ')} else ${fallback(column)} end`,
  )
  return [
    `alter table ${name}`,
    `${types.join(',\n')};`,
    `if to_regclass(${literal(archive)}) is null then return; end if;`,
    `update ${name} as t set ${columns.map(({ sql }) => `${sql} = k.${sql}`).join(', ')}`,
    `from ${archive} as k where ${sameKey(kept, 'k', 't')} and t.${type} is not distinct from k.${type} and ${unlike(columns)};`,
    'get diagnostics written = row_count;',
    `raise notice 'every row has what restore says of its type, but for % that had something else', written;`,
  ]
}

function updated({ rollout, catalog }: MigrationSource, archive: string, kept: Kept): string[] {
  const { sql: name } = rollout.table
  const columns = catalog.relations[0]!.columns
  const type = rollout.discriminator.sql
  const set = (value: (column: LegacyColumn) => string): string =>
    columns.map((column) => `  ${column.sql} = ${value(column)}`).join(',\n')
  const fromArchive = set((column) => {
    const restored = restoring(rollout, column, 't.')
    return restored.length === 0
      ? `k.${column.sql}`
      : `case when t.${type} is not distinct from k.${type} then k.${column.sql} ${restored.join(' ')} else k.${column.sql} end`
  })
  const fromType = set((column) => {
    const restored = restoring(rollout, column, 't.')
    return restored.length === 0 ? fallback(column) : `case ${restored.join(' ')} else ${fallback(column)} end`
  })
  return [
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
  ]
}

/** What a row has that no restore speaks of. */
function fallback(column: LegacyColumn): string {
  const counted = column.identity === null ? column.default : `nextval(${literal(counting(column)!)})`
  return counted === null ? `null::${filled(column)}` : `cast(${counted} as ${filled(column)})`
}

function restoring(rollout: Rollout, column: LegacyColumn, alias: string): string[] {
  const { sql, dataType } = rollout.discriminator
  return rollout.types.flatMap((type) => {
    const constant = rollout.restoreOf(type)?.get(column.name)
    if (constant === undefined) return []
    // A comment in the file's constant ends with its line.
    return [`when ${alias}${sql} = ${literal(type)}::${dataType} then cast(${constant}\n as ${filled(column)})`]
  })
}
