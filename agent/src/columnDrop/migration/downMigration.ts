import { quoteLiteral } from '../../rollout/identifiers.ts'
import {
  addColumns,
  addCommentsAndGrants,
  addConstraints,
  addIdentities,
  createIndexes,
  addNotNulls,
  setColumnProperties,
  createSequences,
  createStatistics,
  setStorage,
} from './recreateObjects.ts'
import { restoreValues, COLUMNS_EXISTED_SETTING } from './restoreValues.ts'
import { countExistingColumns, lockWithRetries, renderScript, transactionSettings, doIf } from './migrationScript.ts'
import type { MigrationSource } from './migrationSource.ts'

/** Of the journal: what the drop has taken from the table of our own. */
const DUAL_WRITE_KINDS = ['function', 'trigger', 'restore']

/** Brings columns and data back, then everything that stood on them, then the dual-write trigger. */
export function writeDownMigration(source: MigrationSource): string {
  const { rollout, catalog, changes } = source
  const columns = catalog.relations[0]!.columns
  const names = columns.map((column) => column.sql)
  const header = [
    `Brings the legacy columns ${names.join(', ')} of ${rollout.table.sql} back, with their data.`,
    `Rows have what the archive kept of them; a row that new code has given another type, or that came since, has what restore of the rollout file ${rollout.hash.slice(0, 12)} says of its type.`,
    'All of it is one transaction under a lock that nobody reads or writes beside: it takes about as long as writing every row once. Where the columns are there already it writes no row.',
    'PostgreSQL adds columns at the end: their order among the others is not what it was.',
  ]
  const locks = [
    `lock table ${rollout.table.sql} in access exclusive mode`,
    ...catalog.alsoLocked.map((table) => `lock table ${table} in share row exclusive mode`),
  ]
  const triggerStatements = changes
    .filter((change) => DUAL_WRITE_KINDS.includes(change.kind))
    .map((change) => change.statement)
  return renderScript(header, [
    transactionSettings(rollout),
    {
      comment: 'The lock, and on the tables that foreign keys refer to.',
      statements: [lockWithRetries(rollout, locks)],
    },
    {
      comment: 'Whether there is anything to write: a second run must not overwrite what was written since the first.',
      statements: [
        `select set_config('${COLUMNS_EXISTED_SETTING}', case when ${countExistingColumns(rollout, columns)} = ${columns.length} then 'yes' else 'no' end, true)`,
      ],
    },
    {
      comment: 'The columns, empty.',
      statements: [...addColumns(rollout, catalog), ...setStorage(catalog), ...createSequences(catalog)],
    },
    { comment: 'Their data.', statements: [restoreValues(source)] },
    {
      comment: 'Types, defaults, NOT NULL and settings of the columns.',
      statements: [...setColumnProperties(catalog), ...addNotNulls(catalog), ...addIdentities(catalog)],
    },
    { comment: 'Constraints.', statements: addConstraints(catalog) },
    { comment: 'Indexes.', statements: createIndexes(catalog) },
    { comment: 'Statistics objects.', statements: createStatistics(catalog) },
    { comment: 'Comments and privileges.', statements: addCommentsAndGrants(catalog) },
    {
      comment: 'The dual-write trigger, which keeps type and legacy columns together again.',
      statements: triggerStatements.length === 0 ? [] : [doIf(`to_regnamespace('sti') is not null`, triggerStatements)],
    },
    {
      comment: 'The agent sees by this that the columns are back. The archive stays as it was at the drop.',
      statements: [
        doIf(`to_regclass('sti.column_archive') is not null`, [
          `update sti.column_archive set restored_at = clock_timestamp() where rollout = ${quoteLiteral(rollout.name)} and dropped_at is not null and restored_at is null`,
        ]),
      ],
    },
  ])
}
