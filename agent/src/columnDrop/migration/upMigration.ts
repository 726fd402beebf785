import { deriveFunctionName, DERIVE_TRIGGER_NAME } from '../../dualWrite/deriveTrigger.ts'
import { quoteLiteral, quoteIdentifier } from '../../rollout/identifiers.ts'
import { dropArchiveTriggersSql } from '../archive/archiveDdl.ts'
import {
  ARCHIVE_TRIGGERS,
  archiveTable,
  valuesDiffer,
  archiveLayout,
  columnList,
  keysMatch,
} from '../archive/archiveSql.ts'
import { digestSql } from '../catalog/digest.ts'
import {
  doBlock,
  countExistingColumns,
  lockWithRetries,
  renderScript,
  transactionSettings,
  doIf,
} from './migrationScript.ts'
import type { MigrationSource } from './migrationSource.ts'

/** Checks, locks, checks again what may have changed, and drops. */
export function writeUpMigration(source: MigrationSource): string {
  const { rollout, table, catalog } = source
  const columns = catalog.relations[0]!.columns
  const names = columns.map((column) => column.sql)
  const header = [
    `Drops the legacy columns ${names.join(', ')} of ${rollout.table.sql}. Column ${rollout.discriminator.sql} says what they said.`,
    `Written by the rollout ${rollout.name}, file ${rollout.hash.slice(0, 12)}. All of it is one transaction: it is done, or nothing is.`,
    'Run it as a role that owns the table and may write schema sti. Where the columns are gone already it does nothing.',
  ]
  const columnsDropped = `${countExistingColumns(rollout, columns)} = 0`
  return renderScript(header, [
    transactionSettings(rollout),
    {
      comment:
        'Is every row kept, and the same? Read without a lock, so that nobody waits for it: the archive is written in the transaction of each row.',
      statements: [verifyArchive(source)],
    },
    {
      comment:
        'The lock, and on the tables that foreign keys of the columns refer to. From here on the table stands still.',
      statements: [
        lockWithRetries(rollout, [
          `lock table ${[rollout.table.sql, ...catalog.alsoLocked].join(', ')} in access exclusive mode`,
        ]),
      ],
    },
    {
      comment:
        'Under the lock: are the triggers that keep the archive still there, do the counts hold, and does nothing new depend on the columns?',
      // As the catalog was read: PostgreSQL writes names as the search path wants them.
      statements: ['set local search_path = pg_catalog, pg_temp', verifyUnderLock(source)],
    },
    {
      comment: 'The triggers first: one that reads a column that is gone would fail every write.',
      statements: [
        ...dropArchiveTriggersSql(rollout, [rollout.table.sql, ...table.partitions.map((partition) => partition.sql)]),
        `drop trigger if exists ${quoteIdentifier(DERIVE_TRIGGER_NAME)} on ${rollout.table.sql}`,
        `drop function if exists ${deriveFunctionName(rollout)}()`,
      ],
    },
    {
      comment: 'The columns. No CASCADE: what still depends on them stops this migration.',
      statements: [...columns.map((column) => `alter table ${rollout.table.sql} drop column if exists ${column.sql}`)],
    },
    {
      comment: 'The agent sees by this that it happened, and refuses what would need the columns.',
      statements: [
        doIf(`to_regclass('sti.column_archive') is not null and ${columnsDropped}`, [
          `update sti.column_archive set dropped_at = clock_timestamp(), restored_at = null where rollout = ${quoteLiteral(rollout.name)} and (dropped_at is null or restored_at is not null)`,
        ]),
      ],
    },
  ])
}

/** Leaves a block when there is nothing to do: an empty database of a developer, or a second run. */
function exitIfNothingToDo({ rollout, catalog }: MigrationSource): string[] {
  const columns = catalog.relations[0]!.columns
  return [
    `there := ${countExistingColumns(rollout, columns)};`,
    `if there = 0 then raise notice 'the legacy columns are gone already'; return; end if;`,
    `if there < ${columns.length} then`,
    `  raise exception 'some of the legacy columns are gone and some are not' using hint = 'Somebody dropped one by hand: bring it back, or write a new migration.';`,
    'end if;',
    `if to_regclass('sti.column_archive') is null then`,
    `  if exists (select from ${rollout.table.sql}) then`,
    `    raise exception 'there are rows, and no archive of them' using hint = 'Prepare the column drop in this database first: sti prepare-column-drop.';`,
    '  end if;',
    '  return;',
    'end if;',
  ]
}

const PREPARE_AGAIN_HINT = 'Nothing was changed. Prepare the column drop again: sti prepare-column-drop.'

function verifyArchive(source: MigrationSource): string {
  const { rollout, table } = source
  const layout = archiveLayout(rollout, table)
  const archive = archiveTable(rollout).sql
  const archivedRows = (from: string): string =>
    `(select true as "~here", ${columnList(layout, 'r')} from ${from} as r)`
  return doBlock(
    [
      ...exitIfNothingToDo(source),
      `if not exists (select from sti.column_archive where rollout = ${quoteLiteral(rollout.name)} and completed_at is not null and dropped_at is null) or to_regclass(${quoteLiteral(archive)}) is null then`,
      `  raise exception 'there is no complete archive of the legacy columns' using hint = ${quoteLiteral(PREPARE_AGAIN_HINT)};`,
      'end if;',
      `if not exists (select from sti.flag where rollout = ${quoteLiteral(rollout.name)} and enabled and percentage = 100) then`,
      `  raise exception 'the flag is not on at 100 %%: the application may still read the legacy columns' using hint = 'Nothing was changed. Turn it on, and let the soak time pass.';`,
      'end if;',
      `select count(*) into differing from ${archivedRows(rollout.table.sql)} as t full join ${archivedRows(archive)} as a on ${keysMatch(layout, 't', 'a')}`,
      `  where t."~here" is null or a."~here" is null or ${valuesDiffer(layout, 't', 'a')};`,
      'if differing > 0 then',
      `  raise exception '% rows of the archive are not what the table holds', differing using hint = ${quoteLiteral(PREPARE_AGAIN_HINT)};`,
      'end if;',
    ],
    ['there int', 'differing bigint'],
  )
}

function verifyUnderLock(source: MigrationSource): string {
  const { rollout, catalog } = source
  const archive = archiveTable(rollout).sql
  const names = catalog.relations[0]!.columns.map((column) => column.name)
  const triggers = [ARCHIVE_TRIGGERS.row, ARCHIVE_TRIGGERS.update].map(quoteLiteral).join(', ')
  return doBlock(
    [
      ...exitIfNothingToDo(source),
      `if (select count(*) from pg_trigger where tgrelid = to_regclass(${quoteLiteral(rollout.table.sql)}) and tgname in (${triggers}) and tgenabled = 'A') < 2 then`,
      `  raise exception 'the triggers that keep the archive are not in order' using hint = ${quoteLiteral(PREPARE_AGAIN_HINT)};`,
      'end if;',
      `select count(*) into in_table from ${rollout.table.sql};`,
      `select count(*) into in_archive from ${archive};`,
      'if in_table <> in_archive then',
      `  raise exception 'the table has % rows and the archive %', in_table, in_archive using hint = ${quoteLiteral(PREPARE_AGAIN_HINT)};`,
      'end if;',
      `if ${digestSql(rollout, names)} <> ${quoteLiteral(catalog.digest)} then`,
      `  raise exception 'something else depends on the legacy columns than when this migration was written: its undo would not bring that back' using hint = ${quoteLiteral(PREPARE_AGAIN_HINT)};`,
      'end if;',
      `raise notice '% rows are kept in %', in_archive, ${quoteLiteral(archive)};`,
    ],
    ['there int', 'in_table bigint', 'in_archive bigint'],
  )
}
