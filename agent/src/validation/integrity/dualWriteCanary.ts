import { runCanaryWrite, type CanaryResult, type SyncDirection } from '../../dualWrite/canaryWrite.ts'
import { hasReverseSync } from '../../dualWrite/verifyTrigger.ts'
import { quoteIdentifier } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { ValidationCheck, CheckFinding } from '../check.ts'

/** One existing row is written as old code would and as new code would, and taken back. */
export const dualWriteCanary: ValidationCheck = {
  name: 'dual-write-canary',
  layer: 'integrity',
  unit: 'count',
  async run({ run, rollout, table, facts }) {
    const undeclaredTriggers = [...facts.undeclaredTriggers, ...findTriggersFiredByLegacyWrite(rollout, table)]
    if (undeclaredTriggers.length > 0) return inconclusive(undeclaredTriggers[0]!.replace(/\.$/, ''))
    const ways: SyncDirection[] = (await hasReverseSync(run.database.state, rollout, table))
      ? ['legacy', 'type']
      : ['legacy']
    const sql = run.database.engine({
      purpose: 'canary',
      searchPath: rollout.searchPath,
      lockTimeoutMs: 100,
      statementTimeoutMs: 20_000,
    })
    try {
      return judgeCanary(await runCanaryWrite(sql, rollout, table, ways), ways, rollout)
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
}

function judgeCanary(result: CanaryResult, ways: readonly SyncDirection[], { file }: Rollout): CheckFinding {
  const { fault, shown } = result
  if (fault !== null) {
    const holds = `it then holds ${fault.type ?? 'no type'}, and its legacy columns say ${fault.legacy ?? 'no type'}`
    return {
      verdict: 'fail',
      value: shown.length,
      limit: ways.length,
      discrepancies: 1,
      detail: `a row was written ${fault.way === 'legacy' ? 'by its legacy columns' : 'by its type'} to be ${fault.wrote}: ${holds}`,
      sampleKeys: result.key === null ? [] : [result.key],
    }
  }
  if (ways.every((way) => shown.includes(way))) {
    const restoreRule = file.restore === 'none' ? 'a type that is written stays' : 'legacy columns follow the type'
    return {
      verdict: 'pass',
      value: shown.length,
      limit: ways.length,
      detail: `the type follows legacy columns${ways.includes('type') ? `, and ${restoreRule}` : '; the way back is not there before finalize'}`,
    }
  }
  if (result.looked === 0)
    return inconclusive('the table has no row of a known type: let the application write one, then validate again')
  if (result.refused !== null)
    return inconclusive(`none of ${result.looked} rows could be written as another type: ${result.refused}`)
  return inconclusive(`each of ${result.locked} rows was locked for longer than 100 ms: validate again`)
}

function inconclusive(detail: string): CheckFinding {
  return { verdict: 'inconclusive', value: null, limit: null, detail }
}

/** It writes legacy columns too: triggers bound to them fire, of which the file need not speak for the backfill's sake. */
function findTriggersFiredByLegacyWrite(rollout: Rollout, { triggers }: Table): string[] {
  return triggers
    .filter(
      (one) =>
        one.onUpdate &&
        !one.internal &&
        !one.ours &&
        (one.enabled === 'origin' || one.enabled === 'always') &&
        !rollout.declaredTriggers.has(one.name) &&
        one.updateOf?.some((column) => rollout.legacyColumns.includes(column)),
    )
    .map(
      ({ name, on }) =>
        `trigger ${name} on ${on} fires where a legacy column is written, which the canary does and takes back: write ${quoteIdentifier(name)}: harmless under triggers in ${rollout.path}`,
    )
}
