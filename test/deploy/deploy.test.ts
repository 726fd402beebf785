import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
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
  const readImages = async (): Promise<[string, string][]> => [
    ['deploy/Dockerfile', await readText('Dockerfile')],
    ['demo/Dockerfile', await readText('../demo/Dockerfile')],
  ]

  test('the images have one base, whose Node version the packages support, and a user that is not root', async () => {
    const { engines } = JSON.parse(await readText('../package.json')) as { engines: { node: string } }
    const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines.node)!.map(Number)
    const bases = (await readImages()).flatMap(([, text]) =>
      [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base!),
    )
    expect(new Set(bases).size).toBe(1)
    const [, baseMajor] = /^node:(\d+)-/.exec(bases[0]!)!.map(Number)
    expect(baseMajor! * 1000).toBeGreaterThanOrEqual(major! * 1000 + minor!)
    for (const [name, text] of await readImages()) {
      const user = [...text.matchAll(/^USER (.+)$/gm)].at(-1)?.[1]
      // The user node of the base image has the number 1000.
      expect([name, user]).toEqual([name, expect.stringMatching(/^(node|[1-9]\d*:[1-9]\d*)$/)])
    }
  })

  test('the images copy only what exists, nothing that the host built or keeps secret, and all installed packages', async () => {
    const ignored = (await readText('../.dockerignore')).split('\n')
    expect(ignored).toEqual(expect.arrayContaining(['**/node_modules', '**/dist', '.demo', '.git']))
    for (const [name, text] of await readImages())
      for (const [, sources] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
        for (const source of sources!.split(' '))
          expect([name, source, existsSync(join(DEPLOY, '..', source))]).toEqual([name, source, true])
    // The image of the agent takes packages from the root's node_modules only.
    const { packages } = JSON.parse(await readText('../package-lock.json')) as { packages: Record<string, unknown> }
    expect(Object.keys(packages).filter((path) => path.startsWith('agent/node_modules/'))).toEqual([])
  })

  test('the manifest and the documents name the version of the package', async () => {
    const { version } = JSON.parse(await readText('../agent/package.json')) as { version: string }
    for (const file of [
      'kubernetes.yaml',
      '../docs/production.md',
      '../docs/operations.md',
      '../docs/plugin.md',
      '../agent/README.md',
    ]) {
      const named = [...(await readText(file)).matchAll(/sti-rollout-(?:agent[-:]|app-)(\d+\.\d+\.\d+)/g)].map(
        ([, one]) => one,
      )
      expect([file, ...named]).toEqual([file, ...named.map(() => version)])
      expect(named).not.toEqual([])
    }
  })

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
