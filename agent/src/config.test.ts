import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'

const token = (name: string): string => `${name}-0123456789abcdefghijkl`

const validEnv = {
  STI_ENVIRONMENT: 'staging',
  STI_DATABASE_URL: 'postgres://sti:s3cret@db:5432/app',
  STI_ROLLOUTS: '/etc/sti',
  STI_TOKEN_VIEWER: token('viewer'),
  STI_TOKEN_EDITOR: token('editor'),
  STI_TOKEN_ADMIN: token('admin'),
  STI_TOKEN_FLAG: token('flag'),
}

function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

test('omitted variables have defaults, except secrets', () => {
  expect(loadConfig(validEnv)).toMatchObject({
    environment: 'staging',
    production: false,
    host: '127.0.0.1',
    port: 8090,
    tokens: { metrics: null },
    personalTokens: [],
    grafana: null,
    prometheusUrl: null,
    rights: {},
  })
  expect(loadConfig({ ...validEnv, STI_ENVIRONMENT: 'production' }).production).toBe(true)
  expect(loadConfig({ ...validEnv, STI_ENVIRONMENT: 'production', STI_PRODUCTION: 'false' }).production).toBe(false)
  const secrets = ['VIEWER', 'EDITOR', 'ADMIN', 'FLAG'].map((name) => `STI_TOKEN_${name}`)
  for (const name of [...secrets, 'STI_DATABASE_URL', 'STI_ENVIRONMENT', 'STI_ROLLOUTS'])
    expect(faultsOf({ ...validEnv, [name]: undefined })).toEqual([`${name} is missing`])
})

test('all faults are reported together, without the values of secrets', () => {
  const env = {
    STI_PORT: '99999',
    STI_PRODUCTION: 'yes',
    STI_DATABASE_URL: 'mysql://root:hunter2hunter2@db',
    STI_TOKEN_VIEWER: 'short-secret',
    STI_TOKEN_EDITOR: token('same-secret'),
    STI_TOKEN_ADMIN: token('same-secret'),
    STI_TOKEN_FLAG: `${token('spaced-secret')} $x`,
    STI_TOKEN_METRICS_FILE: '/nowhere/at/all',
    STI_PERSONAL_TOKENS: `ci:root:${token('line-secret')}\nme:admin:${token('same-secret')}`,
    STI_GRAFANA_URL: 'grafana:3000',
    STI_GRAFANA_AUDIENCE: '1',
    STI_RIGHTS: 'rollback-data=editor,fly=admin',
  }
  const faults = faultsOf(env)
  expect(faults).toHaveLength(15)
  const text = new ConfigError(faults).message
  for (const secret of ['hunter2', 'short-secret', 'same-secret', 'spaced-secret', 'line-secret'])
    expect(text).not.toContain(secret)
  expect(faults).toContain('STI_TOKEN_ADMIN equals STI_TOKEN_EDITOR; every credential must be unique')
  expect(faults).toContain('the personal token of me equals STI_TOKEN_EDITOR; every credential must be unique')
})

test('the agent does not start with two equal credentials', () => {
  const tokens = {
    STI_TOKEN_VIEWER: token('viewer'),
    STI_TOKEN_EDITOR: token('editor'),
    STI_TOKEN_ADMIN: token('admin'),
    STI_TOKEN_FLAG: token('flag'),
    STI_TOKEN_METRICS: token('metrics'),
  }
  const names = Object.keys(tokens) as (keyof typeof tokens)[]
  for (const name of names)
    for (const other of names)
      if (name !== other) expect(faultsOf({ ...validEnv, ...tokens, [name]: tokens[other] })).toHaveLength(1)
  for (const name of names)
    expect(faultsOf({ ...validEnv, ...tokens, STI_PERSONAL_TOKENS: `ci:viewer:${tokens[name]}` })).toHaveLength(1)
})

test('a secret is read from its file and trimmed; setting both variables is a fault', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sti-config-'))
  const file = join(folder, 'tokens')
  writeFileSync(file, `\nci:editor:${token('ci')}\n\nme:admin:${token('me')}\n`)
  const env = { ...validEnv, STI_PERSONAL_TOKENS_FILE: file }
  expect(loadConfig(env).personalTokens).toEqual([
    { name: 'ci', level: 'editor', token: token('ci') },
    { name: 'me', level: 'admin', token: token('me') },
  ])
  writeFileSync(file, `${token('from-file')}\n`)
  const { STI_TOKEN_FLAG: _, ...rest } = validEnv
  expect(loadConfig({ ...rest, STI_TOKEN_FLAG_FILE: file }).tokens.flag).toBe(token('from-file'))
  expect(faultsOf({ ...validEnv, STI_TOKEN_FLAG_FILE: file })).toHaveLength(1)
  rmSync(folder, { recursive: true })
})

test('Grafana and raised rights', () => {
  const env = { ...validEnv, STI_GRAFANA_URL: 'http://grafana:3000/', STI_RIGHTS: 'enable=admin, backfill=admin' }
  expect(loadConfig(env)).toMatchObject({
    grafana: { url: 'http://grafana:3000', issuer: 'http://grafana:3000', audience: 'org:1', token: null },
    rights: { enable: 'admin', backfill: 'admin' },
  })
  expect(loadConfig({ ...env, STI_GRAFANA_ISSUER: 'https://g.example/' }).grafana?.issuer).toBe('https://g.example')
})

const URL_VARIABLES: Record<string, Record<string, string>> = {
  STI_PROMETHEUS_URL: {},
  STI_GRAFANA_URL: {},
  STI_GRAFANA_ISSUER: { STI_GRAFANA_URL: 'http://grafana:3000' },
  STI_GITHUB_API_URL: { STI_GITHUB_REPOSITORY: 'a/b', STI_GITHUB_TOKEN: 'x' },
}

test.each(Object.entries(URL_VARIABLES))('%s is parsed, and a fault names it without its value', (name, others) => {
  const withUrl = (value: string): NodeJS.ProcessEnv => ({ ...validEnv, ...others, [name]: value })
  expect(faultsOf(withUrl('https://host:1/path'))).toEqual([])
  for (const value of [
    'http://me:s3cret#1@host',
    'http://me:s3cret/1@host',
    'http://me:s3cret?1@host',
    'http://me:s3cret%1@host',
    'http://me:s3 cret@host',
    'http://host/#s3cret',
    's3cret',
    'ftp://me:s3cret@host',
    'http://',
  ]) {
    const faults = faultsOf(withUrl(value))
    expect(faults, value).toEqual([expect.stringMatching(new RegExp(`^${name} (must|has)`))])
    expect(faults[0]).not.toContain('s3')
  }
})

test.each(['STI_DATABASE_URL', 'STI_REPLICA_URL'])('%s is parsed, and a fault names it without its value', (name) => {
  const withUrl = (value: string): NodeJS.ProcessEnv => ({ ...validEnv, [name]: value })
  for (const value of [
    'postgres://app:s3cret%231@127.0.0.1:5432/app',
    'postgresql://app@host/app?sslmode=require&application_name=x',
    'postgres://app:s@h1:5432,h2:5433/app',
    'postgres://app:s@[::1]:5432/app',
    'postgres:///app?host=/var/run/postgresql',
  ])
    expect(faultsOf(withUrl(value)), value).toEqual([])
  for (const value of [
    'postgres://app:s3cret/1@127.0.0.1:5432/app',
    'postgres://app:s3cret%1@127.0.0.1:5432/app',
    'postgres://app:s3cret@1@127.0.0.1:5432/app',
    'postgres://app:33/1@127.0.0.1:5432/app',
    'postgres://app:s3cret@127.0.0.1:99999/app',
    'mysql://app:s3cret@127.0.0.1/app',
    's3cret',
  ]) {
    const faults = faultsOf(withUrl(value))
    expect(faults, value).toEqual([expect.stringMatching(new RegExp(`^${name} (must|has|contains)`))])
    expect(faults[0]).not.toMatch(/s3|cret|33/)
  }
})

test('credentials of Grafana are either in its URL or a token, and its issuer has none', () => {
  const env = { ...validEnv, STI_GRAFANA_URL: 'http://me:s3cret@grafana:3000/' }
  expect(loadConfig(env).grafana).toMatchObject({ issuer: 'http://grafana:3000' })
  expect(faultsOf({ ...env, STI_GRAFANA_TOKEN: 'x' })).toEqual([
    'STI_GRAFANA_URL has a user name and STI_GRAFANA_TOKEN is set; remove one',
  ])
})

test.each([
  ['enable=editor', 'enable already requires editor; remove it or raise it further'],
  ['enable=admin,enable=admin', 'enable is listed twice; remove one'],
  ['backfill=admin\nbackfill=editor', 'backfill already requires editor'],
  ['rollback-data=viewer', 'rollback-data requires at least admin'],
  ['read=editor,read=admin', 'read is both editor and admin; remove one'],
])('rights that mean nothing or contradict each other fail the boot: %s', (rights, fault) => {
  expect(faultsOf({ ...validEnv, STI_RIGHTS: rights }).join('\n')).toContain(`STI_RIGHTS: ${fault}`)
})
