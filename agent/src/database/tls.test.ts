import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createAuthority } from '../../../test/support/certificates.ts'
import { freePort, startPostgres, type PostgresServer } from '../../../test/support/server.ts'
import { connect } from './connect.ts'

let folder: string
let server: PostgresServer
const paths: Record<string, string> = {}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sti-tls-'))
  await chmod(folder, 0o755)
  const authority = await createAuthority(folder, 'authority')
  const other = await createAuthority(folder, 'other')
  const host = await authority.issue('localhost', 'DNS:localhost')
  const client = await authority.issue('postgres')
  Object.assign(paths, {
    root: authority.certificate,
    other: other.certificate,
    cert: client.certificate,
    key: client.key,
  })
  // The server refuses a key that others can read.
  await chmod(host.key, 0o600)
  if (process.getuid?.() === 0) await promisify(execFile)('chown', ['postgres', host.key])
  server = await startPostgres([
    ...['-c', 'fsync=off', '-c', 'ssl=on', '-c', `ssl_cert_file=${host.certificate}`, '-c', `ssl_key_file=${host.key}`],
    ...['-c', `ssl_ca_file=${authority.certificate}`, '-c', 'unix_socket_directories=/tmp'],
    ...['-c', 'listen_addresses=127.0.0.1,::1'],
  ])
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Lets only these in, beside the superuser of the test over the Unix socket. */
async function allow(lines: string): Promise<void> {
  await writeFile(join(server.folder, 'data/pg_hba.conf'), `local all all password\n${lines}\n`)
  const sql = postgres({
    host: '/tmp',
    port: server.port,
    user: 'postgres',
    pass: 'postgres',
    database: 'postgres',
    max: 1,
  })
  await sql`select pg_reload_conf(), pg_sleep(0.1)`
  await sql.end()
}

/** "encrypted", "plain", or the error. */
async function reach(url: string): Promise<string> {
  const database = connect(url, 'a')
  try {
    const [row] = await database.state<{ ssl: boolean }[]>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
    return row!.ssl ? 'encrypted' : 'plain'
  } catch (error) {
    return (error as Error).message
  } finally {
    await database.close()
  }
}

const EVERYBODY = 'host all all all password'

test.each<[string, string, string, string | RegExp]>([
  [EVERYBODY, 'localhost', '', 'encrypted'],
  [EVERYBODY, 'localhost', 'sslmode=disable', 'plain'],
  [EVERYBODY, 'localhost', 'sslmode=allow', 'plain'],
  [EVERYBODY, 'localhost', 'sslmode=prefer', 'encrypted'],
  [EVERYBODY, 'localhost', 'sslmode=require', 'encrypted'],
  [EVERYBODY, 'localhost', 'ssl=true', 'encrypted'],
  ['hostssl all all all password', 'localhost', 'sslmode=allow', 'encrypted'],
  ['hostssl all all all password', 'localhost', 'sslmode=disable', /pg_hba.conf/],
  ['hostnossl all all all password', 'localhost', 'sslmode=prefer', 'plain'],
  ['hostnossl all all all password', 'localhost', 'sslmode=require', /pg_hba.conf/],
  [EVERYBODY, 'localhost', 'sslmode=require&sslrootcert=ROOT', 'encrypted'],
  [EVERYBODY, 'localhost', 'sslmode=require&sslrootcert=OTHER', /certificate/],
  [EVERYBODY, '127.0.0.1', 'sslmode=verify-ca&sslrootcert=ROOT', 'encrypted'],
  [EVERYBODY, '127.0.0.1', 'sslmode=verify-ca&sslrootcert=OTHER', /certificate/],
  [EVERYBODY, 'localhost', 'sslmode=verify-full&sslrootcert=ROOT', 'encrypted'],
  [EVERYBODY, '127.0.0.1', 'sslmode=verify-full&sslrootcert=ROOT', /not in the cert|altnames/],
  [EVERYBODY, 'localhost', 'sslmode=verify-full&sslrootcert=ROOT&hostaddr=127.0.0.1', 'encrypted'],
  [EVERYBODY, 'localhost', 'sslrootcert=system', /certificate/],
  [EVERYBODY, 'localhost', 'sslmode=require&sslnegotiation=direct', 'encrypted'],
  ['hostssl all all all cert', 'localhost', 'sslmode=require&sslcert=CERT&sslkey=KEY', 'encrypted'],
  ['hostssl all all all cert', 'localhost', 'sslmode=require', /certificate/],
  ['host all all all scram-sha-256', 'localhost', 'sslmode=require&password=wrong', /password authentication failed/],
])('with %s, %s?%s is as libpq does it', async (rule, host, parameters, expected) => {
  await allow(rule)
  const filled = parameters.replace(/[A-Z]{3,}/g, (name) => paths[name.toLowerCase()]!)
  const answer = await reach(`postgres://postgres:postgres@${host}:${server.port}/postgres?${filled}`)
  if (typeof expected === 'string') expect(answer).toBe(expected)
  else expect(answer).toMatch(expected)
})

test('a server without TLS is used by disable, allow and prefer only', async () => {
  const plain = inject('postgresUrl')
  for (const mode of ['disable', 'allow', 'prefer']) expect(await reach(`${plain}?sslmode=${mode}`)).toBe('plain')
  expect(await reach(`${plain}?sslmode=require`)).toMatch(/does not support TLS/)
})

test('Unix sockets, IPv6 and several hosts lead to the server', async () => {
  await allow(EVERYBODY)
  const dead = await freePort()
  const login = 'postgres://postgres:postgres@'
  expect(await reach(`${login}%2Ftmp:${server.port}/postgres`)).toBe('plain')
  expect(await reach(`${login}/postgres?host=/tmp&port=${server.port}&sslmode=require`)).toBe('plain')
  expect(await reach(`${login}127.0.0.1:${dead},localhost:${server.port}/postgres?sslmode=disable`)).toBe('plain')
  expect(await reach(`${login}127.0.0.1:${dead},[::1]:${dead}/postgres?sslmode=disable`)).toMatch(/ECONNREFUSED/)
  const standby = await reach(`${login}localhost:${server.port}/postgres?target_session_attrs=standby`)
  expect(standby).toMatch(/not a server for target_session_attrs=standby/)
  expect(await reach(`${login}localhost:${server.port}/postgres?target_session_attrs=primary`)).toBe('encrypted')
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))
  if (hasIpv6) expect(await reach(`${login}[::1]:${server.port}/postgres?sslmode=disable`)).toBe('plain')
})
