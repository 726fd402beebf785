import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentEnvironment } from '../support/agentProcess.ts'
import { TOKENS } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { freePort } from '../support/server.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'
import { isOk, waitFor } from '../support/waitFor.ts'
import { installPackage, type InstalledPackage } from './installedPackage.ts'

/** Bytes: compressed, and of the installation with all dependencies. */
const MAX_PACKAGE_BYTES = 1_000_000
const MAX_INSTALLED_BYTES = 60_000_000

let installed: InstalledPackage
beforeAll(async () => {
  installed = await installPackage()
})
afterAll(() => installed.remove())

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the installed command in a folder of its own, with these variables only. */
function sti(env: Record<string, string>, ...args: string[]): Promise<Result> {
  const options = { cwd: installed.folder, env: { PATH: process.env['PATH'], HOME: installed.folder, ...env } }
  return new Promise((resolve) =>
    execFile(installed.sti, args, options, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    ),
  )
}

describe('the package of the agent', () => {
  test('has what runs, and nothing else', async () => {
    const paths = installed.packed.files.map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'bin/sti.js']))
    expect(paths.filter((path) => /\.rules\.yml$/.test(path))).toHaveLength(4)
    const others = paths.filter((path) => !/^(bin|dist)\/|^(LICENSE|README\.md|package\.json)$/.test(path))
    expect([...others, ...paths.filter((path) => /\.(ts|map)$|[.]test[.]|testing/.test(path))]).toEqual([])
    expect(installed.packed.size).toBeLessThan(MAX_PACKAGE_BYTES)
    expect(await folderBytes(join(installed.folder, 'node_modules'))).toBeLessThan(MAX_INSTALLED_BYTES)
  })

  test('declares each package that it imports, and imports each that it declares', async () => {
    const files = installed.packed.files.filter(({ path }) => path.endsWith('.js'))
    const texts = await Promise.all(files.map(({ path }) => readFile(join(installed.home, path), 'utf8')))
    const imports = texts.flatMap((text) =>
      [...text.matchAll(/^(?:import|export) (?:[^;']* from )?'([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm)].map(
        ([, name, dynamic]) => name ?? dynamic!,
      ),
    )
    const packages = imports
      .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
      .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
      // A checkout alone runs from its sources.
      .filter((name) => name !== 'tsx')
    const { dependencies } = JSON.parse(await readFile(join(installed.home, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    expect([...new Set(packages)].toSorted()).toEqual(Object.keys(dependencies).toSorted())
  })

  test('runs the main job without the checkout', async () => {
    const { version } = JSON.parse(await readFile(join(installed.home, 'package.json'), 'utf8')) as { version: string }
    expect(await sti({}, '--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
    expect(await sti({}, 'agent', '--check')).toMatchObject({
      code: 2,
      err: expect.stringContaining('- STI_ROLLOUTS is missing') as string,
    })
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 2_000)
      const folder = join(installed.folder, 'rollouts')
      await mkdir(folder)
      await writeFile(join(folder, 'vehicles.yaml'), VEHICLES_FILE)
      expect((await sti({}, 'check', 'rollouts/vehicles.yaml', '--database', url)).code).toBe(0)

      const port = await freePort()
      const variables = Object.entries(agentEnvironment(url, folder, port, 'packaged'))
      await writeFile(
        join(installed.folder, 'agent.env'),
        variables.map(([name, value]) => `${name}=${value}\n`).join(''),
      )
      const checked = await sti({}, 'agent', '--check', '--env-file', 'agent.env')
      expect(checked).toEqual({
        code: 0,
        out: `The configuration is valid: environment staging, 127.0.0.1:${port}, 1 rollout (vehicles).\n`,
        err: '',
      })
      const agent = spawn(installed.sti, ['agent', '--env-file', 'agent.env'], {
        cwd: installed.folder,
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const exit = once(agent, 'exit')
      try {
        const target = { STI_URL: `http://127.0.0.1:${port}`, STI_TOKEN: TOKENS.ann }
        await waitFor('the agent is ready', () => isOk(`${target.STI_URL}/readyz`), { ignoreErrors: true, seconds: 30 })
        for (const line of [
          'expand',
          'backfill',
          'validate --full-validation --generate-report --output report.html',
          'finalize',
          'flag --enable',
          'rollback all --confirm vehicles --reason test',
        ]) {
          const result = await sti(target, ...line.split(' '))
          expect(result, `${line}\n${result.out}${result.err}`).toMatchObject({ code: 0 })
        }
        expect(await readFile(join(installed.folder, 'report.html'), 'utf8')).toContain('2,000')
        const columns = await sql`select column_name from information_schema.columns where table_name = 'vehicles'`
        expect(columns.map(({ column_name: name }) => name as string)).not.toContain('type')
      } finally {
        agent.kill('SIGTERM')
      }
      expect(await exit).toEqual([0, null])
    })
  })
})

test('a shell completes commands, options and choices', async () => {
  const { out } = await sti({}, 'completion', 'bash')
  for (const [words, expected] of [
    [['operations', 'tune', '--batch'], ['--batch-size']],
    [['provi'], ['provisioning']],
    [
      ['validate', '--format', ''],
      ['md', 'html', 'json'],
    ],
    [
      ['completion', ''],
      ['--help', 'bash', 'zsh'],
    ],
  ] as const) {
    const script = `${out}
      COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _sti; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = spawnSync('bash', ['-c', script, 'bash', 'sti', ...words], { encoding: 'utf8' })
    expect(stdout.trim().split('\n').toSorted()).toEqual([...expected].toSorted())
  }
})

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await readFile(join(entry.parentPath, entry.name))).length)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
