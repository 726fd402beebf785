import { test } from 'vitest'
import { withCitusDatabase, type CitusDatabase } from './citusDatabase.ts'

/** The coordinator of a Citus cluster with at least one worker, as superuser; every node accepts the same role. */
const CITUS_URL = process.env['STI_TEST_CITUS_URL']

if (CITUS_URL === undefined) console.log('The tests on Citus are skipped: STI_TEST_CITUS_URL names no coordinator')

/** A test on a real Citus cluster; without one it is skipped. */
export function citusTest(name: string, use: (database: CitusDatabase) => Promise<void>, timeoutMs = 120_000): void {
  if (CITUS_URL === undefined) test.skip(name, () => undefined)
  else test(name, () => withCitusDatabase(CITUS_URL, use), timeoutMs)
}
