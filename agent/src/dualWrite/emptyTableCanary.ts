import type { Sql } from '../database/connect.ts'
import { quoteIdentifier } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { runCanaryWrite, type CanaryResult, type CanaryScope } from './canaryWrite.ts'
import { DERIVE_TRIGGER_NAME } from '../rollout/laterTriggers.ts'
import { dualWriteTriggerChanges } from './deriveTrigger.ts'

const COPY_TABLE = 'pg_temp."~sti_canary"'
/** The key of the copy: the columns of the table's own key are empty there. */
const COPY_KEY = '"~sti_canary_key"'

export async function isTableEmpty(sql: Sql, rollout: Rollout): Promise<boolean> {
  const [row] = await sql.unsafe<{ empty: boolean }[]>(`select not exists (select from ${rollout.table.sql}) as empty`)
  return row!.empty
}

/**
 * The canary of a table without rows: writes rows of a temporary copy with the same columns, which fire the function of the
 * dual-write trigger. The copy has one row for each type, no constraints, and no triggers of the application. Nothing of
 * it remains.
 */
export async function runEmptyTableCanary(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  scope: CanaryScope,
): Promise<CanaryResult> {
  const copy: Rollout = Object.freeze<Rollout>({ ...rollout, table: { ...rollout.table, sql: COPY_TABLE } })
  const copiedTable: Table = {
    ...table,
    partitioned: false,
    partitionKey: [],
    key: [{ ...table.key[0]!, sql: COPY_KEY, type: 'integer' }],
    estimatedRows: rollout.types.length,
  }
  const requiredColumns = table.columns.filter(({ notNull }) => notNull)
  const trigger = dualWriteTriggerChanges(copy, copiedTable).find(({ object }) =>
    object.startsWith(`${DERIVE_TRIGGER_NAME} on `),
  )!
  return await runCanaryWrite(sql, copy, copiedTable, scope, [
    `create temporary table ${quoteIdentifier('~sti_canary')} (like ${rollout.table.sql})`,
    ...requiredColumns.map((column) => `alter table ${COPY_TABLE} alter column ${column.sql} drop not null`),
    `alter table ${COPY_TABLE} add column ${COPY_KEY} integer generated always as identity`,
    trigger.statement,
    ...rollout.types.map((type) => insertRowSql(rollout, type)),
  ])
}

/** A row whose legacy columns have the constants that `restore` gives this type. */
function insertRowSql(rollout: Rollout, type: string): string {
  const constants = [...(rollout.restoreValues(type) ?? [])].filter(([, value]) => value.kind === 'constant')
  if (constants.length === 0) return `insert into ${COPY_TABLE} default values`
  const columns = constants.map(([column]) => quoteIdentifier(column)).join(', ')
  return `insert into ${COPY_TABLE} (${columns}) values (${constants.map(([, value]) => `${value.sql('t')}\n`).join(', ')})`
}
