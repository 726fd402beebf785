import type { Sql } from '../database/connect.ts'
import { quoteLiteral } from './identifiers.ts'
import { DRY_RUN_TABLE, dryRunOnEmptyCopy } from './dryRun.ts'
import { isRestoreDecided } from './restoreValue.ts'
import type { Rollout, Table } from './rollout.ts'

/** Checks that every `when` is immutable, by using it as the predicate of an index. The names of the rollout are resolved. */
export async function expressionFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const overallFault = await predicateFault(sql, rollout, table, `(${rollout.derive(DRY_RUN_TABLE)}) is not null`)
  if (overallFault === null) return []
  const faults: string[] = []
  for (const [i, condition] of rollout.conditions.entries()) {
    const fault = await predicateFault(sql, rollout, table, `(${condition}\n)`)
    if (fault !== null)
      faults.push(`The when of ${rollout.types[i]!} ${fault} (${rollout.locate(['types', i, 'when'])}).`)
  }
  return faults.length > 0
    ? faults
    : [`The expression that derives the types ${overallFault} (${rollout.locate(['types'])}).`]
}

async function predicateFault(sql: Sql, rollout: Rollout, table: Table, predicate: string): Promise<string | null> {
  const result = await dryRunOnEmptyCopy(sql, rollout, table, readColumns(rollout), [
    `create index "~sti_check_index" on pg_temp.${DRY_RUN_TABLE} ((1)) where ${predicate}`,
  ])
  if (!('refused' in result)) return null
  return result.sqlstate === '42P17'
    ? 'is not immutable: its result can change while the row does not. Use columns, constants and immutable functions'
    : `is refused by PostgreSQL: ${result.refused}. Correct it`
}

/** The columns that an expression of the file may read. */
const readColumns = (rollout: Rollout): string[] => [...rollout.legacyColumns, ...rollout.permanentColumns]

/**
 * Checks that every `restore` value can be written to its column and is immutable, and that the restored columns derive
 * their own type again. With `keep`, an expression or a permanent column, the last depends on the row; then the trigger
 * decides it at each write.
 */
export async function restoreFaults(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const faults: string[] = []
  for (const [i, type] of rollout.types.entries()) {
    if (rollout.restoreValues(type) === null) continue
    const path = [...(i < rollout.file.types.length ? ['types', i] : ['otherwise']), 'restore']
    const typeFaults = [
      ...(await restoreValueFaults(sql, rollout, table, type, path)),
      ...(await restoredTypeFaults(sql, rollout, table, type, path)),
    ]
    // The first fault of a type may be the cause of the others.
    faults.push(...typeFaults.slice(0, 1))
  }
  return faults
}

async function restoreValueFaults(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  type: string,
  path: readonly PropertyKey[],
): Promise<string[]> {
  const faults: string[] = []
  for (const [name, value] of rollout.restoreValues(type)!) {
    if (value.kind === 'keep') continue
    const column = table.columns.find((candidate) => candidate.name === name)!
    const subject = `The restore of ${name} for ${type}`
    const place = rollout.locate([...path, name])
    const expression = value.sql(DRY_RUN_TABLE)
    if (value.kind === 'expression') {
      // Only an assignment shows whether PostgreSQL casts the value to the column implicitly.
      const assignment = await dryRunOnEmptyCopy(sql, rollout, table, readColumns(rollout), [
        `update pg_temp.${DRY_RUN_TABLE} set ${column.sql} = ${expression}`,
      ])
      if ('refused' in assignment) {
        faults.push(`${subject} is refused by PostgreSQL: ${assignment.refused}. Correct it (${place}).`)
        continue
      }
    }
    const fault = await predicateFault(sql, rollout, table, `(cast(${expression} as ${column.type})) is not null`)
    // A constant that its column cannot hold is reported with the other columns of its type.
    if (fault !== null && (value.kind === 'expression' || !fault.startsWith('is refused')))
      faults.push(`${subject} ${fault} (${place}).`)
  }
  return faults
}

/** Writes the constants of a type to an empty copy of their columns, and derives the type of that row. */
async function restoredTypeFaults(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  type: string,
  path: readonly PropertyKey[],
): Promise<string[]> {
  const constants = [...rollout.restoreValues(type)!].filter(([, value]) => value.kind === 'constant')
  const columns = constants.map(([name]) => name)
  const columnList = columns.map((name) => table.columns.find((column) => column.name === name)!.sql).join(', ')
  const literal = `${quoteLiteral(type)}::${rollout.discriminator.dataType}`
  const decided = isRestoreDecided(rollout, type)
  const result = await dryRunOnEmptyCopy(sql, rollout, table, columns, [
    columns.length > 0
      ? `insert into pg_temp.${DRY_RUN_TABLE} (${columnList}) values (${constants.map(([, value]) => value.sql('none')).join(', ')})`
      : `insert into pg_temp.${DRY_RUN_TABLE} default values`,
    ...(decided
      ? [
          `select ${rollout.derive('c')} is not distinct from ${literal} as same, (${rollout.derive('c')})::text as derived from pg_temp.${DRY_RUN_TABLE} as c`,
        ]
      : []),
  ])
  const place = rollout.locate(path)
  if ('refused' in result) return [`Cannot write the restore of ${type}: ${result.refused}. Correct it (${place}).`]
  if (!decided || result.rows[0]?.['same'] === true) return []
  const derived = (result.rows[0]?.['derived'] as string | null | undefined) ?? 'no type'
  return [
    `The restore of ${type} derives ${derived}, so new code's writes of ${type} would be lost. Correct it (${place}).`,
  ]
}
