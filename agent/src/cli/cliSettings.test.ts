import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadCliSettings } from './cliSettings.ts'
import type { Terminal } from './terminal.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sti-settings-'))
  await mkdir(join(folder, 'home/.config/sti'), { recursive: true })
  await mkdir(join(folder, 'here'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const createTerminal = (env: NodeJS.ProcessEnv = {}): Terminal => ({
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  env,
  cwd: join(folder, 'here'),
  home: join(folder, 'home'),
})
const writeConfig = async (path: string, text: string, mode = 0o600): Promise<void> => {
  await writeFile(join(folder, path), text)
  await chmod(join(folder, path), mode)
}
const loadAgents = async (env?: NodeJS.ProcessEnv, config?: string) =>
  Object.fromEntries((await loadCliSettings(createTerminal(env), config)).environments)

test('./sti.yaml adds environments, and redirects none of the user’s own', async () => {
  await writeConfig(
    'home/.config/sti/config.yaml',
    `environments:
  staging: { url: http://far:1, token: far }
  production: [{ url: http://p:1/, token: first }, { url: http://p:2, token: second }]`,
  )
  await writeConfig(
    'here/sti.yaml',
    'environments: { staging: { url: http://near:1, token: near }, test: { url: http://t:1, token: t } }',
  )
  expect(await loadAgents()).toEqual({
    test: [{ url: 'http://t:1', token: 't' }],
    staging: [{ url: 'http://far:1', token: 'far' }],
    production: [
      { url: 'http://p:1', token: 'first' },
      { url: 'http://p:2', token: 'second' },
    ],
  })
  const { warnings } = await loadCliSettings(createTerminal(), undefined)
  expect(warnings).toEqual([expect.stringMatching(/^Environment staging of \.\/sti\.yaml is ignored.*--config/)])
})

test('./sti.yaml reads no file outside its folder as a token, whatever leads there', async () => {
  await writeConfig('home/.config/sti/token', 'secret\n')
  await symlink(join(folder, 'home/.config/sti/token'), join(folder, 'here/link'))
  await symlink(join(folder, 'home/.config/sti'), join(folder, 'here/folder'))
  const outside = [
    '../home/.config/sti/token',
    join(folder, 'home/.config/sti/token'),
    'link',
    'folder/token',
    '..',
    '.',
  ]
  for (const tokenFile of outside) {
    const text = `environments: { staging: { url: http://a:1, tokenFile: ${tokenFile} } }`
    await writeConfig('here/sti.yaml', text)
    const fault = await loadCliSettings(createTerminal(), undefined).catch((error: Error) => error)
    expect(fault, tokenFile).toMatchObject({ exitCode: 2, message: expect.stringMatching(/outside the folder/) })
    expect((fault as Error).message).not.toContain('secret')
  }
  await writeConfig('here/own', 'near\n')
  await writeConfig('here/sti.yaml', 'environments: { staging: { url: http://a:1, tokenFile: ./own } }')
  expect(await loadAgents()).toEqual({ staging: [{ url: 'http://a:1', token: 'near' }] })
  // The user names the file, and answers for it.
  await writeConfig('here/sti.yaml', 'environments: { staging: { url: http://a:1, tokenFile: link } }')
  expect(await loadAgents({}, 'sti.yaml')).toEqual({ staging: [{ url: 'http://a:1', token: 'secret' }] })
})

test('STI_URL overrides the files, and --config overrides both', async () => {
  await writeConfig('here/sti.yaml', 'environments: { staging: { url: http://near:1, token: near } }')
  await writeConfig('here/other.yaml', 'environments: { staging: { url: http://other:1, token: other } }')
  const env = { STI_URL: 'http://env:1/', STI_TOKEN: 'env' }
  expect(await loadAgents(env)).toEqual({ '': [{ url: 'http://env:1', token: 'env' }] })
  expect(await loadAgents(env, 'other.yaml')).toEqual({ staging: [{ url: 'http://other:1', token: 'other' }] })
})

test('the path of a token file is relative to the configuration file', async () => {
  await writeConfig(
    'home/.config/sti/config.yaml',
    'environments: { staging: { url: http://a:1, tokenFile: token } }',
    0o644,
  )
  await writeConfig('home/.config/sti/token', 'secret\n')
  const settings = await loadCliSettings(createTerminal(), undefined)
  expect(settings.environments.get('staging')).toEqual([{ url: 'http://a:1', token: 'secret' }])
  expect(settings.warnings).toEqual([])
})

test('warns about a token that other users can read', async () => {
  await writeConfig('here/sti.yaml', 'environments: { staging: { url: http://a:1, token: secret } }', 0o644)
  const { warnings } = await loadCliSettings(createTerminal(), undefined)
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toMatch(/chmod 600/)
})

test.each([
  ['no configuration', undefined, {}, /No agent is configured/],
  ['an address without a token', undefined, { STI_URL: 'http://a:1' }, /STI_TOKEN/],
  ['an address with an unsupported scheme', undefined, { STI_URL: 'a:1', STI_TOKEN: 'x' }, /http/],
  ['invalid YAML', 'environments: [', {}, /sti\.yaml/],
  ['an unknown field', 'environments: { a: { url: http://a:1, token: x, tokne: y } }', {}, /tokne/],
  [
    'both token and tokenFile',
    'environments: { a: { url: http://a:1, token: x, tokenFile: y } }',
    {},
    /either token or tokenFile/,
  ],
  ['a missing token file', 'environments: { a: { url: http://a:1, tokenFile: y } }', {}, /ENOENT/],
  ['an invalid address', 'environments: { a: { url: nowhere, token: x } }', {}, /must be a URL that starts with http/],
  [
    'an address with a password, without showing it',
    'environments: { a: { url: "http://me:hunter2@a:1", token: x } }',
    {},
    /^(?!.*hunter2).*must have no user name/,
  ],
  [
    'such an STI_URL',
    undefined,
    { STI_URL: 'http://me:hunter2@a:1', STI_TOKEN: 'x' },
    /^(?!.*hunter2).*must have no user/,
  ],
])('reports %s in one sentence', async (_, file, env, sentence) => {
  if (file !== undefined) await writeConfig('here/sti.yaml', file)
  const fault = await loadCliSettings(createTerminal(env), undefined).catch((error: Error) => error)
  expect(fault).toMatchObject({ exitCode: 2, message: expect.stringMatching(sentence) as string })
  expect((fault as Error).message).not.toContain('\n')
})
