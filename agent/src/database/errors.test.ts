import { expect, onTestFinished, test } from 'vitest'
import postgres from 'postgres'
import { withDatabase } from '../../../test/support/database.ts'
import { startTcpProxy } from '../../../test/support/proxy.ts'
import { errorMessage } from './errors.ts'

test('a lost connection is described in words, not by a code of the driver', async () => {
  await withDatabase(async ({ url }) => {
    const proxy = await startTcpProxy(url)
    onTestFinished(proxy.stop)
    const { host } = new URL(proxy.url)
    const open = async (): Promise<postgres.Sql> => {
      const sql = postgres(proxy.url, { max: 1 })
      await sql`select 1`
      return sql
    }
    const hang = (sql: postgres.Sql): Promise<string> => sql`select pg_sleep(30)`.then(String, errorMessage)

    const closed = await open()
    const lost = hang(closed)
    setTimeout(() => proxy.halfClose('agent'), 100)
    expect(await lost).toBe(`PostgreSQL at ${host} closed the connection`)
    await closed.end({ timeout: 0 })

    const ended = await open()
    const abandoned = hang(ended)
    setTimeout(() => void ended.end({ timeout: 0 }), 100)
    expect(await abandoned).toBe(`the connection to PostgreSQL at ${host} was closed before an answer came`)
    expect(await hang(ended)).toBe(`the connection to PostgreSQL at ${host} is closed`)

    proxy.freeze('all')
    const silent = postgres(proxy.url, { max: 1, connect_timeout: 1 })
    expect(await hang(silent)).toBe(`PostgreSQL at ${host} did not accept a connection in time`)
    await silent.end({ timeout: 0 })
  })
})
