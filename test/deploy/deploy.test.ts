import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { generateKeyPairSync } from 'node:crypto'
import { loadConfig } from '../../agent/src/config.ts'
import { CONFIG_VARIABLES, type ConfigVariable } from '../../agent/src/configVariables.ts'
import { findOnPath } from '../../demo/start/findOnPath.ts'
import { newSigningKey } from '../support/signingKeys.ts'

const DEPLOY = new URL('../../deploy/', import.meta.url).pathname
const readText = (name: string): Promise<string> => readFile(join(DEPLOY, name), 'utf8')
const variables = Object.entries<ConfigVariable>(CONFIG_VARIABLES)

describe('agent.env', () => {
  test('the configuration accepts the file as it is, and with every variable', async () => {
    const text = await readText('agent.env')
    const secrets = await writeSecrets()
    try {
      const complete = text.replaceAll(/^#(?=STI_)/gm, '')
      for (const file of [text, complete]) {
        const config = loadConfig(parseEnv(file.replaceAll('/etc/sti/secrets', secrets)))
        expect(config).toMatchObject({ environment: 'production', port: 8090, databaseConnections: 6 })
      }
      const names = Object.keys(parseEnv(complete)).map((name) => name.replace(/_FILE$/, ''))
      expect(names.toSorted()).toEqual(variables.map(([name]) => name).toSorted())
    } finally {
      await rm(secrets, { recursive: true })
    }
  })

  test('the configuration reads every declared variable', () => {
    const read = new Set<string>()
    const env = new Proxy<NodeJS.ProcessEnv>({}, { get: (_, name) => void read.add(String(name)) })
    expect(() => loadConfig(env)).toThrow('STI_ENVIRONMENT is missing')
    expect(variables.map(([name]) => name).filter((name) => !read.has(name))).toEqual([])
  })

  test('docs/operations.md lists every variable', async () => {
    const page = await readFile(join(DEPLOY, '../docs/operations.md'), 'utf8')
    const rows = page.split('\n').filter((line) => line.startsWith('| `STI_'))
    const listed = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`(STI_[A-Z_]+)`/g)].map(([, name]) => name!))
    expect(listed.toSorted()).toEqual(variables.map(([name]) => name).toSorted())
  })

  /** A folder with the files that agent.env names, with valid values. */
  async function writeSecrets(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'sti-secrets-'))
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const values: Record<string, string> = {
      'database-url': 'postgres://sti_agent:secret@db.example.com/app',
      'replica-url': 'postgres://sti_agent:secret@replica.example.com/app',
      people: 'ann:admin:personal-token-of-ann-0001',
      'signing-key.pem': key,
      'trusted-keys.json': JSON.stringify({ keys: [newSigningKey('staging').publicKey] }),
    }
    for (const [name, { example, inFile }] of variables)
      if (inFile) await writeFile(join(folder, example), values[example] ?? `token-of-${name.toLowerCase()}-0001`)
    return folder
  }
})

const analyze = await findOnPath('systemd-analyze')
test.skipIf(analyze === null)('systemd accepts the unit', async () => {
  const verify = (path: string): string => spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' }).stderr
  expect(verify(join(DEPLOY, 'sti-agent.service'))).toBe('')
  const folder = await mkdtemp(join(tmpdir(), 'sti-unit-'))
  const broken = join(folder, 'sti-agent.service')
  await writeFile(broken, (await readText('sti-agent.service')).replace('Restart=always', 'Restarts=always'))
  expect(verify(broken)).toContain("'Restarts'")
  await rm(folder, { recursive: true })
})

describe('kubernetes.yaml', () => {
  test('matches the types of the Kubernetes API', async () => {
    expect(await typeErrors(await readManifests())).toEqual([])
    const [config, deployment, ...others] = await readManifests()
    const broken = [config!, { ...deployment!, spec: { ...(deployment!['spec'] as object), replica: 2 } }, ...others]
    expect(await typeErrors(broken)).toEqual([expect.stringContaining(`'"replica"' does not exist`)])
  })

  test('the configuration accepts the variables, whose secrets are files of the volume', async () => {
    const [{ data } = {}, deployment] = (await readManifests()) as { data?: Record<string, string>; spec?: unknown }[]
    const names = Object.keys(data!).map((name) => name.replace(/_FILE$/, ''))
    expect(names.filter((name) => !Object.hasOwn(CONFIG_VARIABLES, name))).toEqual([])
    const required = variables.filter(([, variable]) => variable.default === null).map(([name]) => name)
    expect(names).toEqual(expect.arrayContaining(required))
    for (const [name, { inFile, example }] of variables.filter(([name]) => names.includes(name)))
      if (inFile) expect(data![`${name}_FILE`]).toBe(`/etc/sti/secrets/${example}`)
    const text = JSON.stringify(deployment)
    for (const path of ['/livez', '/readyz', '/etc/sti/secrets', '/etc/sti/rollouts', '/var/lib/sti-agent'])
      expect(text).toContain(`"${path}"`)
    expect(deployment).toMatchObject({ kind: 'Deployment', spec: { replicas: 2 } })
  })

  async function readManifests(): Promise<Record<string, unknown>[]> {
    const documents = parseAllDocuments(await readText('kubernetes.yaml'))
    return documents.map((document) => document.toJS() as Record<string, unknown>)
  }

  /** The manifests as literals of the types, which the compiler checks, unknown properties too. */
  async function typeErrors(manifests: readonly Record<string, unknown>[]): Promise<string[]> {
    const modules: Record<string, string> = {
      ConfigMap: 'core/v1',
      Deployment: 'apps/v1',
      Service: 'core/v1',
      PodDisruptionBudget: 'policy/v1',
    }
    const source = manifests
      .map((manifest, index) => {
        const kind = manifest['kind'] as string
        return `const m${index}: import('kubernetes-types/${modules[kind]}').${kind} = ${JSON.stringify(manifest)}`
      })
      .join('\n')
    const file = join(import.meta.dirname, 'manifests.generated.ts')
    const options: ts.CompilerOptions = { noEmit: true, strict: true, skipLibCheck: true, types: [] }
    const host = ts.createCompilerHost(options)
    const { getSourceFile, fileExists, readFile: read } = host
    host.fileExists = (name) => name === file || fileExists(name)
    host.readFile = (name) => (name === file ? source : read(name))
    host.getSourceFile = (name, ...rest) =>
      name === file ? ts.createSourceFile(name, source, rest[0]) : getSourceFile(name, ...rest)
    const program = ts.createProgram([file], options, host)
    return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))
  }
})

describe('Dockerfile', () => {
  test('builds in stages what the package has, for a user that is not root, with a health check', async () => {
    const text = await readText('Dockerfile')
    const stages = text.split(/^(?=FROM )/m).filter((stage) => stage.startsWith('FROM '))
    expect(stages).toHaveLength(3)
    const final = stages.at(-1)!
    expect(final).not.toMatch(/npm (install|ci|run)/)
    expect(/^USER (.+)$/m.exec(final)![1]).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(final).toMatch(/^HEALTHCHECK .*\\\n {2}CMD \[.*\/livez/m)
    for (const [, line] of text.matchAll(/^(?:HEALTHCHECK[\s\S]*?CMD|ENTRYPOINT|CMD) (\[.*\])$/gm))
      expect(Array.isArray(JSON.parse(line!))).toBe(true)
  })
})
