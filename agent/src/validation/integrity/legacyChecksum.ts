import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { tagStatement } from '../../database/tagStatement.ts'
import type { ValidationCheck } from '../check.ts'
import { readHashVersion, readRowCount } from '../counts/rowCountStore.ts'

/**
 * The checksum over key and legacy columns equals that of the previous validation. If it differs although no row version
 * is younger, rows changed without being written. Does not apply after writes, since a checksum cannot tell intended
 * changes from corruption.
 */
export const legacyChecksum: ValidationCheck = {
  name: 'legacy-checksum',
  layer: 'integrity',
  unit: 'count',
  needsScan: true,
  seconds: 120,
  async run({ scan, run, rollout, table, sql }) {
    const { state } = run.database
    const previous = await readRowCount(state, rollout.name)
    const { checksum, discrepancies, raising, kept, rows } = scan()
    if (previous === null || previous.counters.oid !== table.oid) return null
    // The checksum covers mismatched types as well.
    if (previous.wrong + discrepancies + raising + kept > 0) return null
    if (previous.hashedBy !== (await readHashVersion(state, rollout.derivationHash))) return null
    const evidence = { value: null, limit: null }
    const previousLabel = `validation ${previous.validation}`
    if (checksum === previous.checksum)
      return {
        ...evidence,
        verdict: 'pass',
        detail: `the checksum of key and legacy columns equals that of ${previousLabel}: ${checksum}`,
      }
    const query = tagStatement(
      `select exists (select from ${rollout.table.sql} as t where age(t.xmin) <= age('${previous.counters.snapshot}'::xid8::xid)) as younger`,
    )
    if (rows !== previous.rows || (await hasRowWrittenSince(sql, query))) return null
    return {
      ...evidence,
      verdict: 'fail',
      query,
      detail: `the checksum of key and legacy columns is ${checksum}, was ${previous.checksum} in ${previousLabel}, and no row was written since: check for corruption and for renamed enum values`,
    }
  },
}

async function hasRowWrittenSince(sql: Sql, query: string): Promise<boolean> {
  return onlyRow(await sql.unsafe<{ younger: boolean }[]>(query)).younger
}
