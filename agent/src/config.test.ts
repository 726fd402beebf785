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
