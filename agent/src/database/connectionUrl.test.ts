import { expect, test } from 'vitest'
import { ConnectionUrlError, parseConnectionUrl } from './connectionUrl.ts'

const hosts = (url: string): string[] =>
  parseConnectionUrl(url).hosts.map(({ name, address, port, socketPath }) => socketPath ?? `${name}=${address}:${port}`)

test.each([
  ['postgres://u@db/app', ['db=db:5432']],
  ['postgresql://u@db:6000/app', ['db=db:6000']],
  ['postgres://u@[::1]:6000/app', ['::1=::1:6000']],
  ['postgres://u@a,b:6001,[fe80::1]:6002/app', ['a=a:5432', 'b=b:6001', 'fe80::1=fe80::1:6002']],
  ['postgres://u@/app?host=a,b&port=6000', ['a=a:6000', 'b=b:6000']],
  ['postgres://u@/app?host=a,b&port=6000,6001', ['a=a:6000', 'b=b:6001']],
  ['postgres://u@db/app?hostaddr=10.0.0.1', ['db=10.0.0.1:5432']],
  ['postgres:///app?host=/run/pg', ['/run/pg/.s.PGSQL.5432']],
  ['postgres://u@%2Frun%2Fpg:6000/app', ['/run/pg/.s.PGSQL.6000']],
])('%s leads to the hosts that libpq reads', (url, expected) => {
  expect(hosts(url)).toEqual(expected)
})

test.each([
  ['postgres://u:p%40ss%2F%25@db/app', { user: 'u', password: 'p@ss/%', database: 'app' }],
  ['postgres://u:a:b?c&d=e@db/app', { user: 'u', password: 'a:b?c&d=e', database: 'app' }],
  ['postgres://u@db', { user: 'u', password: '', database: 'u' }],
  ['postgres://db/app?user=v&password=w&dbname=x', { user: 'v', password: 'w', database: 'x' }],
  ['postgres://db/app?user=v&connect_timeout=1', { connectTimeoutMs: 2000 }],
  ['postgres://u@db/app?connect_timeout=7', { connectTimeoutMs: 7000 }],
  [
    'postgres://u@db/app?application_name=shop&options=-c%20geqo%3Doff',
    { applicationName: 'shop', options: '-c geqo=off' },
  ],
  ['postgres://u@a,b/app?target_session_attrs=read-write', { targetSession: 'read-write' }],
  ['postgres://u@db/app?Statement_Timeout=400', { serverSettings: new Map([['statement_timeout', '400']]) }],
  ['postgres://u@db/app?client_encoding=UTF8&keepalives_idle=5', { serverSettings: new Map() }],
])('%s means what it means to libpq', (url, expected) => {
  expect(parseConnectionUrl(url)).toMatchObject(expected)
})

test.each([
  ['', 'prefer'],
  ['sslmode=disable', 'disable'],
  ['sslmode=require', 'require'],
  ['ssl=true', 'require'],
  ['sslrootcert=system', 'verify-full'],
  [`sslmode=verify-ca&sslrootcert=${import.meta.filename}`, 'verify-ca'],
])('?%s sets sslmode to %s', (parameters, mode) => {
  expect(parseConnectionUrl(`postgres://u@db/app?${parameters}`).tls.mode).toBe(mode)
})

const SECRET = 's3cr3t'
test.each([
  ['mysql://u:s3cr3t@db/app', /must look like postgres:/],
  ['s3cr3t', /must look like postgres:/],
  ['postgres://u:s3cr3t@x@db/app', /percent-encoded/],
  ['postgres://u:s3cr3t/x@db/app', /percent-encoded|port/],
  ['postgres://u:s3cr3t%zz@db/app', /percent-encoded/],
  ['postgres://u:s3cr3t%00@db/app', /percent-encoded/],
  ['postgres://u:s3cr3t@db:99999/app', /port/],
  ['postgres://u:s3cr3t@a,b:1,c/app?port=1,2', /one port/],
  ['postgres://u:s3cr3t@/app', /has no host/],
  ['postgres://u:s3cr3t@a,,b/app', /empty host/],
  ['postgres://u:s3cr3t@db/app?', null],
  ['postgres://u:s3cr3t@db/app?sslmode', /without a name or a value/],
  ['postgres://u:s3cr3t@db/app?sslmode=s3cr3t', /sslmode.*disable, allow, prefer/],
  ['postgres://u:s3cr3t@db/app?sslmode=verify-full', /needs sslrootcert/],
  ['postgres://u:s3cr3t@db/app?sslmode=verify-ca&sslrootcert=/s3cr3t', /sslrootcert.*not a readable file/],
  ['postgres://u:s3cr3t@db/app?sslmode=require&sslcert=/etc/hosts', /sslcert without sslkey/],
  ['postgres://u:s3cr3t@db/app?sslnegotiation=direct', /needs sslmode=require/],
  ['postgres://u:s3cr3t@db/app?sslrootcert=system&sslmode=require', /needs sslmode=verify-full/],
  ['postgres://u:s3cr3t@db/app?channel_binding=require', /channel_binding/],
  ['postgres://u:s3cr3t@db/app?gssencmode=require', /gssencmode/],
  ['postgres://u:s3cr3t@db/app?load_balance_hosts=random', /load_balance_hosts/],
  ['postgres://u:s3cr3t@db/app?client_encoding=LATIN1', /client_encoding/],
  ['postgres://u:s3cr3t@db/app?target_session_attrs=prefer-standby', /target_session_attrs/],
  ['postgres://u:s3cr3t@db/app?service=s3cr3t', /parameter service/],
  ['postgres://u:s3cr3t@db/app?replication=database', /parameter replication/],
  ['postgres://u:s3cr3t@db/app?connect_timeout=s3cr3t', /connect_timeout/],
  ['postgres://u:s3cr3t@db/app?s3cr3t-x=1', /neither libpq nor PostgreSQL/],
  ['postgres://u@db/app?password=ab&s3cr3t=1', /neither libpq nor PostgreSQL/],
])('%s is refused without a part of its value', (url, pattern) => {
  if (pattern === null) return void expect(() => parseConnectionUrl(url)).not.toThrow()
  try {
    parseConnectionUrl(url)
  } catch (error) {
    expect(error).toBeInstanceOf(ConnectionUrlError)
    expect((error as Error).message).toMatch(pattern)
    expect((error as Error).message).not.toContain(SECRET)
    return
  }
  expect.unreachable('the URL was accepted')
})
