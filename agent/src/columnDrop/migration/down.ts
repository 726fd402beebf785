import { literal } from '../../rollout/names.ts'
import {
  addColumns,
  commentsAndGrants,
  constraints,
  identities,
  indexes,
  notNulls,
  properties,
  sequences,
  statistics,
  storage,
} from './again.ts'
import { fill, WERE_THERE } from './fill.ts'
import { columnsThere, locking, script, settings, where } from './statements.ts'
import type { MigrationSource } from './write.ts'

/** Of the journal: what the drop has taken from the table of our own. */
const TRIGGER_KINDS = ['function', 'trigger', 'restore']

/** Brings columns and data back, then everything that stood on them, then the dual-write trigger. */
export function down(source: MigrationSource): string {
  const { rollout, catalog, changes } = source
  const columns = catalog.relations[0]!.columns
  const names = columns.map((column) => column.sql)
  const head = [
    `Brings the legacy columns ${names.join(', ')} of ${rollout.table.sql} back, with their data.`,
    `Rows have what the archive kept of them; a row that new code has given another type, or that came since, has what restore of the rollout file ${rollout.hash.slice(0, 12)} says of its type.`,
    'All of it is one transaction under a lock that nobody reads or writes beside: it takes about as long as writing every row once. Where the columns are there already it writes no row.',
    'PostgreSQL adds columns at the end: their order among the others is not what it was.',
  ]
  const locks = [
    `lock table ${rollout.table.sql} in access exclusive mode`,
    ...catalog.alsoLocked.map((table) => `lock table ${table} in share row exclusive mode`),
  ]
  const statements = changes.filter((change) => TRIGGER_KINDS.includes(change.kind)).map((change) => change.statement)
  return script(head, [
    settings(rollout),
    { why: 'The lock, and on the tables that foreign keys refer to.', statements: [locking(rollout, locks)] },
    {
      why: 'Whether there is anything to write: a second run must not overwrite what was written since the first.',
      statements: [
        `select set_config('${WERE_THERE}', case when ${columnsThere(rollout, columns)} = ${columns.length} then 'yes' else 'no' end, true)`,
      ],
    },
    {
      why: 'The columns, empty.',
      statements: [...addColumns(rollout, catalog), ...storage(catalog), ...sequences(catalog)],
    },
    { why: 'Their data.', statements: [fill(source)] },
    {
      why: 'Types, defaults, NOT NULL and settings of the columns.',
      statements: [...properties(catalog), ...notNulls(catalog), ...identities(catalog)],
    },
    { why: 'Constraints.', statements: constraints(catalog) },
    { why: 'Indexes.', statements: indexes(catalog) },
    { why: 'Statistics objects.', statements: statistics(catalog) },
    { why: 'Comments and privileges.', statements: commentsAndGrants(catalog) },
    {
      why: 'The dual-write trigger, which keeps type and legacy columns together again.',
      statements: statements.length === 0 ? [] : [where(`to_regnamespace('sti') is not null`, statements)],
    },
    {
      why: 'The agent sees by this that the columns are back. The archive stays as it was at the drop.',
      statements: [
        where(`to_regclass('sti.column_archive') is not null`, [
          `update sti.column_archive set restored_at = clock_timestamp() where rollout = ${literal(rollout.name)} and dropped_at is not null and restored_at is null`,
        ]),
      ],
    },
  ])
}
