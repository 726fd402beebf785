import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from './connect.ts'

test('an engine connection has its settings, and a server that terminates it does not end the process', async () => {
  await withDatabase(async ({ url, sql }) => {
    const database = connect(url, 'a')
    const engine = database.engine()
    const [settings] =
      await engine`select current_setting('row_security') as rls, current_setting('sti.engine') as engine`
    expect(settings).toEqual({ rls: 'off', engine: 'on' })
    const hanging = engine`select pg_sleep(30)`.catch((error: { code: string }) => error.code)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name like 'sti a %'`
    expect(['57P01', 'CONNECTION_CLOSED']).toContain(await hanging)
    const again = async (): Promise<unknown> => (await engine`select 1 as one`)[0]
    // The next statement may still use the terminated connection; the one after it gets a new connection.
    expect(await again().catch(again)).toEqual({ one: 1 })
    await database.close()
  })
})
