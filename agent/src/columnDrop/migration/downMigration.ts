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
import {
  countExistingColumns,
  lockWithRetries,
  renderScript,
  shardLockTimeout,
  transactionSettings,
  doIf,
} from './migrationScript.ts'
import type { MigrationSource } from './migrationSource.ts'

/** Kinds of journaled changes that the drop removed from the table and the undo recreates. */
const DUAL_WRITE_KINDS = ['function', 'trigger', 'restore']

/**
 * Writes the down migration: it restores the columns and their data, then the objects that depend on them, then the
 * dual-write trigger.
 */
export function writeDownMigration(source: MigrationSource): string {
  const { rollout, table, catalog, changes } = source
  const columns = catalog.relations[0]!.columns
  const names = columns.map((column) => column.sql)
  const header = [
    `Restores the legacy columns ${names.join(', ')} of ${rollout.table.sql} and their data.`,
    `Rows get their values from the archive. A row that new code added, or whose type it changed, gets the values that restore in the rollout file ${rollout.hash.slice(0, 12)} sets for its type.`,
    'The migration is one transaction under a lock that blocks all reads and writes. It takes about as long as writing every row once. If the columns already exist, it writes no row.',
    'PostgreSQL adds columns at the end, so the column order differs from the original.',
  ]
  const locks = [
    `lock table ${rollout.table.sql} in access exclusive mode`,
    ...catalog.alsoLocked.map((referenced) => `lock table ${referenced} in share row exclusive mode`),
  ]
  const triggerStatements = changes
    .filter((change) => DUAL_WRITE_KINDS.includes(change.kind))
    .map((change) => change.statement)
  return renderScript(
    header,
    [
      transactionSettings(table),
      {
        comment: 'Lock the table and the tables that its foreign keys reference.',
        statements: [lockWithRetries(rollout, table, locks), ...shardLockTimeout(table)],
      },
      {
        comment: 'Check if there is anything to write: a second run must not overwrite newer values.',
        statements: [
          `select set_config('${COLUMNS_EXISTED_SETTING}', case when ${countExistingColumns(rollout, columns)} = ${columns.length} then 'yes' else 'no' end, true)`,
        ],
      },
      {
        comment: 'Add the columns, empty.',
        statements: [...addColumns(rollout, catalog), ...setStorage(catalog), ...createSequences(catalog)],
      },
      { comment: 'Restore their data.', statements: [restoreValues(source)] },
      {
        comment: 'Set types, defaults, NOT NULL, and settings of the columns.',
        statements: [...setColumnProperties(catalog), ...addNotNulls(catalog), ...addIdentities(catalog)],
      },
      { comment: 'Add the constraints.', statements: addConstraints(catalog) },
      { comment: 'Create the indexes.', statements: createIndexes(catalog) },
      { comment: 'Create the statistics objects.', statements: createStatistics(catalog) },
      { comment: 'Restore comments and privileges.', statements: addCommentsAndGrants(catalog) },
      {
        comment: 'Recreate the dual-write trigger, which keeps the type and the legacy columns in sync.',
        statements:
          triggerStatements.length === 0 ? [] : [doIf(`to_regnamespace('sti') is not null`, triggerStatements)],
      },
      {
        comment: 'Record for the agent that the columns are restored. The archive keeps its state at the drop.',
        statements: [
          doIf(`to_regclass('sti.column_archive') is not null`, [
            `update sti.column_archive set restored_at = clock_timestamp() where rollout = ${quoteLiteral(rollout.name)} and dropped_at is not null and restored_at is null`,
          ]),
        ],
      },
    ],
    table,
  )
}
