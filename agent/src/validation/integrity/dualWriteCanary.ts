import { canary, type Seen, type Way } from '../../dualWrite/canary.ts'
import { bothWays } from '../../dualWrite/verify.ts'
import { quote } from '../../rollout/names.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import type { Check, Finding } from '../check.ts'

/** One existing row is written as old code would and as new code would, and taken back. */
export const dualWriteCanary: Check = {
  name: 'dual-write-canary',
  layer: 'integrity',
  async run({ run, rollout, table, facts }) {
    const unspoken = [...facts.undeclaredTriggers, ...firedByLegacy(rollout, table)]
    if (unspoken.length > 0) return unknown(unspoken[0]!.replace(/\.$/, ''))
    const ways: Way[] = (await bothWays(run.database.state, rollout, table)) ? ['legacy', 'type'] : ['legacy']
    const sql = run.database.engine({
      purpose: 'canary',
      searchPath: rollout.searchPath,
      lockTimeoutMs: 100,
      statementTimeoutMs: 20_000,
    })
    try {
      return judge(await canary(sql, rollout, table, ways), ways, rollout)
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
}

function judge(seen: Seen, ways: readonly Way[], { file }: Rollout): Finding {
  const { fault, shown } = seen
  if (fault !== null) {
    const holds = `it then holds ${fault.type ?? 'no type'}, and its legacy columns say ${fault.legacy ?? 'no type'}`
    return {
      verdict: 'fail',
      value: shown.length,
      limit: ways.length,
      discrepancies: 1,
      detail: `a row was written ${fault.way === 'legacy' ? 'by its legacy columns' : 'by its type'} to be ${fault.wrote}: ${holds}`,
      sampleKeys: seen.key === null ? [] : [seen.key],
    }
  }
  if (ways.every((way) => shown.includes(way))) {
    const back = file.restore === 'none' ? 'a type that is written stays' : 'legacy columns follow the type'
    return {
      verdict: 'pass',
      value: shown.length,
      limit: ways.length,
      detail: `the type follows legacy columns${ways.includes('type') ? `, and ${back}` : '; the way back is not there before finalize'}`,
    }
  }
  if (seen.looked === 0)
    return unknown('the table has no row of a known type: let the application write one, then validate again')
  if (seen.refused !== null)
    return unknown(`none of ${seen.looked} rows could be written as another type: ${seen.refused}`)
  return unknown(`each of ${seen.locked} rows was locked for longer than 100 ms: validate again`)
}

function unknown(detail: string): Finding {
  return { verdict: 'inconclusive', value: null, limit: null, detail }
}

/** It writes legacy columns too: triggers bound to them fire, of which the file need not speak for the backfill's sake. */
function firedByLegacy(rollout: Rollout, { triggers }: Table): string[] {
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
        `trigger ${name} on ${on} fires where a legacy column is written, which the canary does and takes back: write ${quote(name)}: harmless under triggers in ${rollout.path}`,
    )
}
