import type { Sql } from '../../database/connect.ts'
import { classifyError, errorMessage } from '../../database/errors.ts'
import { runCanaryWrite, type CanaryResult, type CanaryScope, type SyncDirection } from '../../dualWrite/canaryWrite.ts'
import { isTableEmpty, runEmptyTableCanary } from '../../dualWrite/emptyTableCanary.ts'
import { formatQuantity } from '../../format/format.ts'
import { undeclaredLegacyTriggers } from '../../rollout/checkAgainstTable.ts'
import { isRestoreDecided } from '../../rollout/restoreValue.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { ValidationCheck, CheckFinding } from '../check.ts'

/** Writes one existing row as old code would and as new code would, and rolls both writes back. */
export const dualWriteCanary: ValidationCheck = {
  name: 'dual-write-canary',
  layer: 'integrity',
  unit: 'count',
  async run({ run, rollout, table, facts }) {
    const undeclaredTriggers = [...facts.undeclaredTriggers, ...undeclaredLegacyTriggers(rollout, table)]
    if (undeclaredTriggers.length > 0)
      return inconclusive(undeclaredTriggers.map((sentence) => sentence.replace(/\.$/, '')).join('; '), [])
    const scope: CanaryScope = {
      directions: ['legacy', 'type'],
      installReverseSync: !facts.changes.some((change) => change.kind === 'restore'),
    }
    const sql = run.database.engine({
      purpose: 'canary',
      searchPath: table.triggerSearchPath,
      lockTimeoutMs: 100,
      statementTimeoutMs: 20_000,
    })
    try {
      const result = await runCanaryWrite(sql, rollout, table, scope)
      if (result.looked > 0 || !(await isTableEmpty(sql, rollout))) return judgeCanary(result, scope, rollout)
      return await judgeEmptyTable(sql, rollout, table, scope)
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
}

async function judgeEmptyTable(sql: Sql, rollout: Rollout, table: Table, scope: CanaryScope): Promise<CheckFinding> {
  try {
    const finding = judgeCanary(await runEmptyTableCanary(sql, rollout, table, scope), scope, rollout)
    return { ...finding, detail: `on a copy, since the table is empty: ${finding.detail}`, sampleKeys: [] }
  } catch (error) {
    if (classifyError(error) !== 'row') throw error
    return inconclusive(
      `the table is empty, and a copy of it accepts no row (${errorMessage(error)}): let the application write a row, then validate again`,
      ['no row with a known type'],
    )
  }
}

function judgeCanary(
  result: CanaryResult,
  { directions: allDirections, installReverseSync }: CanaryScope,
  rollout: Rollout,
): CheckFinding {
  const { fault, shown } = result
  const { types, typesWithoutRestore } = rollout
  // If only values of the row decide, it may be that no type can be written alone.
  const mayBeImpossible = result.looked > 0 && types.every((type) => !isRestoreDecided(rollout, type))
  const directions: SyncDirection[] = allDirections.filter(
    (direction) => !mayBeImpossible || result.possible.includes(direction) || direction === 'legacy',
  )
  if (fault !== null) {
    const holds = `it then has type ${fault.type ?? 'NULL'}, and its legacy columns imply ${fault.legacy ?? 'NULL'}`
    return {
      verdict: 'fail',
      value: shown.length,
      limit: directions.length,
      discrepancies: 1,
      detail: `a row was changed to ${fault.wrote} through its ${fault.way === 'legacy' ? 'legacy columns' : 'type'}, but ${holds}`,
      sampleKeys: result.key === null ? [] : [result.key],
    }
  }
  if (directions.every((direction) => shown.includes(direction))) {
    const restoreRule =
      typesWithoutRestore.length === types.length ? 'a written type is kept' : 'the legacy columns follow the type'
    const typeRule = directions.includes('type')
      ? `, and ${restoreRule}${installReverseSync ? ' (tried with the function that finalize creates)' : ''}`
      : '; restore lets no tried row become another type by its type alone'
    return {
      verdict: 'pass',
      value: shown.length,
      limit: directions.length,
      detail: `the type follows the legacy columns${typeRule}`,
    }
  }
  if (result.looked === 0)
    return inconclusive('the table has no row with a known type: let the application write one, then validate again', [
      'no row with a known type',
    ])
  if (result.refused !== null)
    return inconclusive(
      `none of ${formatQuantity(result.looked, 'row')} could be changed to another type: ${result.refused}`,
      [`refused ${result.refusedBy}`],
    )
  return inconclusive(`all ${formatQuantity(result.locked, 'row')} were locked for more than 100 ms: validate again`, [
    'locked rows',
  ])
}

function inconclusive(detail: string, acceptable: readonly string[]): CheckFinding {
  return { verdict: 'inconclusive', value: null, limit: null, detail, acceptable }
}
