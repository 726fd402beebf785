import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../engine/answer.ts'
import { ours } from '../../engine/ours.ts'
import type { Check } from '../check.ts'
import { hashedBy, readRowCount } from '../counts/store.ts'

/**
 * Key and legacy columns have the checksum that they had at the validation before. Another one is a fault where no row
 * has a version that is younger than that: then the rows were changed without being written. It does not apply where
 * others have written: their changes are right, and no sum can tell them from wrong ones.
 */
export const legacyUnchanged: Check = {
  name: 'legacy-checksum',
  layer: 'integrity',
  needsScan: true,
  seconds: 120,
  async run({ scan, run, rollout, table, sql }) {
    const { state } = run.database
    const then = await readRowCount(state, rollout.name)
    const { checksum, discrepancies, raising, kept, rows } = scan()
    if (then === null || then.counters.oid !== table.oid) return null
    // The sum covers types that differ as well.
    if (then.wrong + discrepancies + raising + kept > 0) return null
    if (then.hashedBy !== (await hashedBy(state, rollout.hash))) return null
    const found = { value: null, limit: null }
    const before = `validation ${then.validation}`
    if (checksum === then.checksum)
      return {
        ...found,
        verdict: 'pass',
        detail: `the checksum of key and legacy columns is that of ${before}: ${checksum}`,
      }
    const query = ours(
      `select exists (select from ${rollout.table.sql} as t where age(t.xmin) <= age('${then.counters.snapshot}'::xid8::xid)) as younger`,
    )
    if (rows !== then.rows || (await younger(sql, query))) return null
    return {
      ...found,
      verdict: 'fail',
      query,
      detail: `the checksum of key and legacy columns is ${checksum}, at ${before} it was ${then.checksum}, and no row was written since: look for corruption, or for a type whose values somebody renamed`,
    }
  },
}

async function younger(sql: Sql, query: string): Promise<boolean> {
  return onlyRow(await sql.unsafe<{ younger: boolean }[]>(query)).younger
}
