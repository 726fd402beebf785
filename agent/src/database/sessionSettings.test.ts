import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Sql } from './connect.ts'
import { SESSION_SETTINGS } from './sessionSettings.ts'

/** The most unusual value of each setting, as a default of the database; the agent needs another one. */
const UNUSUAL: Readonly<Record<string, string>> = {
  search_path: 'nowhere, public, pg_catalog',
  statement_timeout: '700ms',
  lock_timeout: '1ms',
  transaction_timeout: '800ms',
  idle_in_transaction_session_timeout: '600ms',
  idle_session_timeout: '900ms',
  client_encoding: 'SQL_ASCII',
  standard_conforming_strings: 'off',
  quote_all_identifiers: 'on',
  datestyle: 'SQL, DMY',
  intervalstyle: 'sql_standard',
  timezone: 'Pacific/Kiritimati',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  xmloption: 'document',
  xmlbinary: 'hex',
  array_nulls: 'off',
  transform_null_equals: 'on',
  gin_fuzzy_search_limit: '1',
  check_function_bodies: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_read_only: 'on',
  default_transaction_deferrable: 'on',
  synchronous_commit: 'off',
  session_replication_role: 'replica',
  row_security: 'off',
  'sti.engine': 'on',
  jit: 'on',
  max_parallel_workers_per_gather: '7',
  plan_cache_mode: 'force_generic_plan',
}

const unusualValue = (name: string): string => UNUSUAL[name] ?? 'off'

test('every session has every setting, whatever the database, the role and the URL say', async () => {
  await withDatabase(async ({ url, sql }) => {
    const name = new URL(url).pathname.slice(1)
    for (const { name: setting } of SESSION_SETTINGS) {
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
      for (const { name: setting } of SESSION_SETTINGS) values.set(setting, await read(session, setting))
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
