import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Sql } from './connect.ts'
import { UNUSUAL_DEFAULTS as UNUSUAL } from '../../../test/support/unusualDefaults.ts'
import { SESSION_SETTINGS } from './sessionSettings.ts'

const unusualValue = (name: string): string => UNUSUAL[name] ?? 'off'

test('every session has every setting, whatever the database, the role and the URL say', async () => {
  await withDatabase(async ({ url, sql }) => {
    const name = new URL(url).pathname.slice(1)
    const [server] = await sql`select current_setting('server_version_num')::int / 10000 as version`
    const settings = SESSION_SETTINGS.filter(({ since = 0 }) => since <= server!['version'])
    for (const { name: setting } of settings) {
      const value = setting === 'search_path' ? unusualValue(setting) : `'${unusualValue(setting)}'`
      await sql.unsafe(`alter database ${name} set ${setting} = ${value}`)
    }
    const overridden = new URL(url)
    for (const { name: setting } of SESSION_SETTINGS)
      if (setting !== 'client_encoding') overridden.searchParams.set(setting, unusualValue(setting))
    overridden.searchParams.set('application_name', 'shop')
    overridden.searchParams.set('work_mem', '5MB')
    const database = connect(overridden.href, 'a')
    const read = async (session: Sql, setting: string): Promise<string> =>
      (await session<{ value: string }[]>`select current_setting(${setting}) as value`)[0]!.value
    const sessions: Record<string, Sql> = {
      state: database.state,
      urgent: database.urgent,
      engine: database.engine(),
      reader: database.engine({ readOnly: true, parallel: true, avoidSeqScan: true }),
    }
    const different = Object.keys(UNUSUAL).filter((setting) => setting !== 'sti.engine' && setting !== 'row_security')
    for (const [client, session] of Object.entries(sessions)) {
      const values = new Map<string, string>()
      for (const { name: setting } of settings) values.set(setting, await read(session, setting))
      const wrong = different.filter((setting) => values.get(setting) === unusualValue(setting))
      // The server decides about these where the agent does not need a value.
      const left = client === 'reader' ? ['max_parallel_workers_per_gather', 'default_transaction_read_only'] : []
      const leftToServer = ['state', 'urgent'].includes(client) ? ['jit', 'max_parallel_workers_per_gather'] : left
      expect([client, wrong.filter((setting) => !leftToServer.includes(setting))]).toEqual([client, []])
      expect(values.get('sti.engine')).toBe(client === 'engine' || client === 'reader' ? 'on' : 'off')
      expect(values.get('row_security')).toBe(client === 'engine' || client === 'reader' ? 'off' : 'on')
      expect(await read(session, 'application_name')).toMatch(/^sti a \w+ shop$/)
      expect(await read(session, 'work_mem')).toBe('5MB')
    }
    for (const session of Object.values(sessions))
      expect(await read(session, 'search_path')).toBe('pg_catalog, pg_temp')
    expect(await read(sessions['reader']!, 'default_transaction_read_only')).toBe('on')
    expect(await read(sessions['reader']!, 'enable_seqscan')).toBe('off')
    await database.close()
  })
})

test('a session that cannot get its settings is refused with the setting, and does no work', async () => {
  await withDatabase(async ({ url, sql }) => {
    const name = new URL(url).pathname.slice(1)
    const role = `plain_${name}`
    await sql.unsafe(`create role ${role} login password 'p'; grant connect on database ${name} to ${role};
      alter role ${role} set session_replication_role = 'replica'`)
    const own = Object.assign(new URL(url), { username: role, password: 'p' })
    const database = connect(own.href, 'a')
    try {
      await expect(database.state`select 1`).rejects.toThrow(/session_replication_role/)
      await expect(database.engine()`select 1`).rejects.toMatchObject({ code: 'SESSION_REFUSED' })
    } finally {
      await database.close()
      await sql.unsafe(`drop owned by ${role}; drop role ${role}`)
    }
  })
})
