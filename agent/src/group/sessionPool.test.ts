import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Sql } from '../database/connect.ts'
import { createSessionPool } from './sessionPool.ts'

test('connections are used again, without a transaction of the last user, and idle ones are bounded', async () => {
  await withDatabase(async ({ url, sql }) => {
    const database = connect(url, 'test')
    const pool = createSessionPool(database)
    const pidOf = async (purpose: string, searchPath?: string): Promise<number> => {
      const session = pool.engine({ purpose, ...(searchPath !== undefined && { searchPath }) })
      const [row] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`
      await session.unsafe('begin; select 1/0').catch(() => undefined)
      await session.end()
      ended.push(session)
      return row!.pid
    }
    const ended: Sql[] = []
    const first = await pidOf('one')
    expect(await pidOf('one')).toBe(first)
    expect(await pidOf('two')).toBe(first)
    expect(await pidOf('one', 'pg_catalog')).not.toBe(first)
    // As for the triggers of 40 tables, each in its own schema.
    for (let i = 0; i < 40; i++) await pidOf('one', `tenant_${i}, pg_temp`)
    const [open] = await sql`select count(*)::int as n from pg_stat_activity
      where datname = current_database() and application_name like 'sti test %' and pid <> pg_backend_pid()`
    expect(open!['n']).toBeLessThanOrEqual(11)
    // Two users at a time have two connections.
    const [a, b] = [pool.engine({ purpose: 'one' }), pool.engine({ purpose: 'one' })]
    const pids = await Promise.all(
      [a, b].map(async (each) => (await each`select pg_backend_pid() as pid`)[0]!['pid'] as number),
    )
    expect(new Set(pids).size).toBe(2)
    // A second end of an earlier user does not give back what others use.
    for (const earlier of ended) await earlier.end()
    const third = pool.engine({ purpose: 'one' })
    expect(pids).not.toContain((await third`select pg_backend_pid() as pid`)[0]!['pid'])
    await pool.end()
    await database.close()
  })
})
