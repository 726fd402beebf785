import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { archiveTable, archiveLayout, keysMatch, type ArchiveLayout } from '../archive/archiveSql.ts'
import { type LegacyColumn, collateClause, columnType } from '../catalog/legacyCatalog.ts'
import { valueSequence, setSequenceToMaximum } from './recreateObjects.ts'
import { doBlock } from './migrationScript.ts'
import type { MigrationSource } from './migrationSource.ts'

/** Said by the first block: the columns were there before, so that nothing may be written to them. */
export const COLUMNS_EXISTED_SETTING = 'sti.columns_were_there'

/**
 * Fills the columns that were just added. A row of the archive gets what it had, unless new code has given it another
 * type since: then `restore` of that type overrides. A row that came since gets `restore` of its type, and for what that
 * does not name the column's default.
 */
export function restoreValues(source: MigrationSource): string {
  const { rollout, table } = source
  const archive = archiveTable(rollout).sql
  const layout = archiveLayout(rollout, table)
  const guard = `if current_setting('${COLUMNS_EXISTED_SETTING}', true) = 'yes' then raise notice 'the legacy columns are there already: no row is written'; return; end if;`
  const body = usesTableRewrite(source)
    ? rewriteStatements(source, archive, layout)
    : updateStatements(source, archive, layout)
  return doBlock([guard, ...body], ['written bigint'])
}

/** Subscribers see what an UPDATE writes, and nothing of a rewrite. */
export function usesTableRewrite({ rollout, catalog }: Pick<MigrationSource, 'rollout' | 'catalog'>): boolean {
  const { columns } = catalog.relations[0]!
  const restored = (name: string): boolean =>
    rollout.types.every((type) => rollout.restoreValues(type)?.has(name) === true)
  return !catalog.published && columns.every(({ name, sequence }) => sequence === null && restored(name))
}

/** Whether the legacy columns of a row and of its archived one are not the same, byte by byte. */
const legacyValuesDiffer = (columns: readonly LegacyColumn[]): string => {
  const row = (alias: string): string => `row(${columns.map(({ sql }) => `${alias}.${sql}`).join(', ')})::record`
  return `${row('t')} operator(pg_catalog.*<>) ${row('k')}`
}

/**
 * Where `restore` names every column the table is rewritten once with what it says, which takes a fraction of an UPDATE's
 * time and leaves no dead rows; then only those rows are written that had something else.
 */
function rewriteStatements({ rollout, catalog }: MigrationSource, archive: string, layout: ArchiveLayout): string[] {
  const { sql: name } = rollout.table
  const columns = catalog.relations[0]!.columns
  const type = rollout.discriminator.sql
  const types = columns.map(
    (column) =>
      `  alter column ${column.sql} type ${columnType(column)}${collateClause(column)} using case ${restoreBranches(rollout, column, '').join(' ')} else ${defaultExpression(column)} end`,
  )
  return [
    `alter table ${name}`,
    `${types.join(',\n')};`,
    `if to_regclass(${quoteLiteral(archive)}) is null then return; end if;`,
    `update ${name} as t set ${columns.map(({ sql }) => `${sql} = k.${sql}`).join(', ')}`,
    `from ${archive} as k where ${keysMatch(layout, 'k', 't')} and t.${type} is not distinct from k.${type} and ${legacyValuesDiffer(columns)};`,
    'get diagnostics written = row_count;',
    `raise notice 'every row has what restore says of its type, but for % that had something else', written;`,
  ]
}

function updateStatements({ rollout, catalog }: MigrationSource, archive: string, layout: ArchiveLayout): string[] {
  const { sql: name } = rollout.table
  const columns = catalog.relations[0]!.columns
  const type = rollout.discriminator.sql
  const assignments = (value: (column: LegacyColumn) => string): string =>
    columns.map((column) => `  ${column.sql} = ${value(column)}`).join(',\n')
  const fromArchive = assignments((column) => {
    const branches = restoreBranches(rollout, column, 't.')
    return branches.length === 0
      ? `k.${column.sql}`
      : `case when t.${type} is not distinct from k.${type} then k.${column.sql} ${branches.join(' ')} else k.${column.sql} end`
  })
  const fromType = assignments((column) => {
    const branches = restoreBranches(rollout, column, 't.')
    return branches.length === 0
      ? defaultExpression(column)
      : `case ${branches.join(' ')} else ${defaultExpression(column)} end`
  })
  return [
    `if to_regclass(${quoteLiteral(archive)}) is null then`,
    `  update ${name} as t set`,
    `${fromType};`,
    '  return;',
    'end if;',
    `update ${name} as t set`,
    fromArchive,
    `from ${archive} as k where ${keysMatch(layout, 'k', 't')};`,
    'get diagnostics written = row_count;',
    `raise notice '% rows have back what the archive kept of them', written;`,
    ...columns.flatMap((column) => {
      const sequence = valueSequence(column)
      return sequence === null ? [] : [`${setSequenceToMaximum(name, column, sequence, 'perform')};`]
    }),
    `update ${name} as t set`,
    fromType,
    `where not exists (select from ${archive} as k where ${keysMatch(layout, 'k', 't')});`,
    'get diagnostics written = row_count;',
    `raise notice '% rows that came since have what their type says', written;`,
  ]
}

/** What a row has that no restore speaks of. */
function defaultExpression(column: LegacyColumn): string {
  const defaultValue = column.identity === null ? column.default : `nextval(${quoteLiteral(valueSequence(column)!)})`
  return defaultValue === null ? `null::${columnType(column)}` : `cast(${defaultValue} as ${columnType(column)})`
}

function restoreBranches(rollout: Rollout, column: LegacyColumn, alias: string): string[] {
  const { sql, dataType } = rollout.discriminator
  return rollout.types.flatMap((type) => {
    const constant = rollout.restoreValues(type)?.get(column.name)
    if (constant === undefined) return []
    // A comment in the file's constant ends with its line.
    return [
      `when ${alias}${sql} = ${quoteLiteral(type)}::${dataType} then cast(${constant}\n as ${columnType(column)})`,
    ]
  })
}
