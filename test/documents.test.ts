import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { CONFIG_VARIABLES } from '../agent/src/configVariables.ts'
import { OPERATION_ACTIONS } from '../agent/src/contract/index.ts'
import { METRICS } from '../agent/src/metrics/names.ts'
import { DASHBOARD_PANELS } from '../agent/src/provisioning/dashboardPanels.ts'
import { withAgent } from './support/agent.ts'
import { withDatabase } from './support/database.ts'
import { createVehicles, VEHICLES_FILE } from './support/vehicles.ts'

/**
 * What a document, a message or a rule names exists: routes, variables, npm scripts, metrics, headings, pages and buttons.
 * The commands and options of `sti` are tested in agent/src/cli/documentation.test.ts, paths in contributing.test.ts.
 */
const ROOT = new URL('../', import.meta.url).pathname

interface Source {
  readonly path: string
  readonly text: string
}

async function readFolder(folder: string, extension: RegExp): Promise<Source[]> {
  const names = await readdir(join(ROOT, folder), { recursive: true })
  const paths = names.filter((name) => extension.test(name) && !/node_modules|dist\//.test(name))
  return await Promise.all(paths.map((name) => readSource(posix.join(folder, name))))
}

const readSource = async (path: string): Promise<Source> => ({ path, text: await readFile(join(ROOT, path), 'utf8') })

const documents = [
  ...(await Promise.all(
    ['README.md', 'CONTRIBUTING.md', 'agent/README.md', 'alerts/RUNBOOK.md', 'bench/README.md'].map(readSource),
  )),
  ...(await readFolder('docs', /\.md$/)),
]
/** Code whose texts people read; comments are not shown. */
const messages = [
  ...(await readFolder('agent/src', /(?<!\.test)\.ts$/)),
  ...(await readFolder('plugin/src', /(?<!\.test)\.tsx?$/)),
].map(({ path, text }) => ({ path, text: text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '') }))
const rules = await readFolder('alerts', /\.rules\.yml$/)

/** `path: name` of each name that the pattern finds and that does not exist. */
function findMissing(sources: readonly Source[], pattern: RegExp, exists: (name: string) => boolean): string[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].flatMap((match) => (exists(match[1]!) ? [] : [`${path}: ${match[1]}`])),
  )
}

test('every variable is declared, or read by a program of the repository', async () => {
  const programs = [
    ...(await readFolder('demo', /\.(ts|sh)$/)),
    ...(await readFolder('test', /\.ts$/)),
    ...(await readFolder('agent/src', /\.test\.ts$/)),
    ...(await readFolder('bench', /\.ts$/)),
    ...(await readFolder('provisioning', /\.ya?ml$/)),
    await readSource('docker-compose.yml'),
  ].filter(({ path }) => path !== 'test/documents.test.ts')
  const read = new Set(programs.flatMap(({ text }) => text.match(/STI_[A-Z_]*[A-Z]/g) ?? []))
  const cli = ['STI_URL', 'STI_TOKEN']
  const missing = findMissing([...documents, ...messages, ...rules], /\b(STI_[A-Z_]*[A-Z])\b(?!_)/g, (name) => {
    const plain = name.replace(/_FILE$/, '')
    return Object.hasOwn(CONFIG_VARIABLES, plain) || cli.includes(name) || read.has(name)
  })
  expect(missing).toEqual([])
})

test('every npm script exists', async () => {
  const workspaces = {
    '': 'package.json',
    agent: 'agent/package.json',
    plugin: 'plugin/package.json',
    demo: 'demo/package.json',
  }
  const scripts = new Map<string, string[]>()
  for (const [name, path] of Object.entries(workspaces)) {
    const { scripts: own } = JSON.parse((await readSource(path)).text) as { scripts?: Record<string, string> }
    scripts.set(name, Object.keys(own ?? {}))
  }
  const missing = [...documents, ...messages].flatMap(({ path, text }) =>
    [...text.matchAll(/npm run ([a-z:]+)(?: (?:-w|--workspace) ([a-z]+))?/g)]
      .filter(([, script, workspace]) => !scripts.get(workspace ?? '')?.includes(script!))
      .map(([command]) => `${path}: ${command}`),
  )
  expect(missing).toEqual([])
})

test('every link to a heading leads to one', () => {
  const anchors = new Map(
    documents.map(({ path, text }) => {
      const headings = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        slug(title!),
      )
      return [path, headings]
    }),
  )
  const missing = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)]
      .filter(([, file, anchor]) => {
        const target = file === '' ? path : posix.join(posix.dirname(path), file!)
        return anchors.has(target) && !anchors.get(target)!.includes(anchor!)
      })
      .map(([, file, anchor]) => `${path}: ${file}#${anchor}`),
  )
  expect(missing).toEqual([])

  function slug(title: string): string {
    return title
      .toLowerCase()
      .trim()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
  }
})

test('every metric exists', () => {
  // Labels, the role of the examples, the constraint of a conflict, and a method of ActiveRecord.
  const others = ['sti_receiver', 'sti_rollback', 'sti_agent', 'sti_conflict', 'sti_name']
  const names = new Set(METRICS.map(({ name }) => name))
  const known = (name: string): boolean =>
    others.includes(name) || names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, ''))
  expect(findMissing([...documents, ...rules], /(?<![\w./~])(sti_[a-z][a-z_]*[a-z])(?![\w*(]|…)/g, known)).toEqual([])
})

describe('the API', () => {
  const routes = new Map<string, readonly string[]>()
  beforeAll(async () => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 1)
      await withAgent(url, VEHICLES_FILE, async ({ get }) => {
        const { paths } = await get<{ paths: Record<string, Record<string, unknown>> }>('/v1/openapi.json')
        for (const [path, methods] of Object.entries(paths)) routes.set(path, Object.keys(methods))
        // It was just read, and does not describe itself.
        routes.set('/v1/openapi.json', ['get'])
      })
    })
  })

  test('every route that a document or a message names exists, with its method', () => {
    const pattern =
      /(?:\b(GET|POST|PUT|PATCH|DELETE) )?(?<![\w/.}>:])(\/(?:v1|ofrep\/v1)\/[\w/{}.-]*[\w}](?![$\w])|\/(?:livez|readyz|metrics)\b)/g
    const missing = [
      ...documents,
      ...messages.filter(({ path }) => !/^agent\/src\/(http|columnDrop\/pullRequest|provisioning)/.test(path)),
    ].flatMap(({ path, text }) =>
      [...text.matchAll(pattern)]
        .filter(([, method, route]) => !exists(route!, method))
        .map(([named]) => `${path}: ${named}`),
    )
    expect(missing).toEqual([])
  })

  function exists(route: string, method: string | undefined): boolean {
    const parts = route.split('/')
    return [...routes].some(([path, methods]) => {
      const other = path.split('/')
      const matches =
        other.length === parts.length &&
        other.every((part, index) => part === parts[index] || part.startsWith('{') || parts[index]!.startsWith('{'))
      return matches && (method === undefined || methods.includes(method.toLowerCase()))
    })
  }
})

describe('the user interface', () => {
  const labels = Object.values(OPERATION_ACTIONS).map(({ label }) => label)
  const ui = messages
    .filter(({ path }) => path.startsWith('plugin/src'))
    .map(({ text }) => text.replaceAll(/\s+/g, ' '))
  const isShown = (name: string): boolean => ui.some((text) => text.includes(name)) || labels.includes(name)

  test('every button, page and section that a document names in bold is a text of the app', async () => {
    const pages = documents.filter(({ path }) => path === 'docs/plugin.md')
    const missing = findMissing(pages, /\*\*([A-Z][^*]*?)\*\*/g, isShown)
    const buttons = findMissing(documents, /\*\*([A-Z][^*.]*?)\*\*(?= (?:button|in Grafana|on the [A-Z]))/g, isShown)
    expect([...missing, ...buttons]).toEqual([])
  })

  test('every page and panel that a message, a rule or a document names exists', async () => {
    const { includes } = JSON.parse((await readSource('plugin/src/plugin.json')).text) as {
      includes: { name: string }[]
    }
    const pages = [...includes.map(({ name }) => name), 'Rollout', 'Operation', 'Validation', 'Column drop']
    for (const page of pages.slice(includes.length)) expect(isShown(page), page).toBe(true)
    const all = [...documents, ...messages, ...rules]
    expect(findMissing(all, /\b[Tt]he ([A-Z][a-z]+(?: [a-z]+)?) page\b/g, (name) => pages.includes(name))).toEqual([])
    const panels: readonly string[] = DASHBOARD_PANELS
    expect(findMissing(all, /\b[Tt]he ((?:[A-Z]\w+ )*[A-Z]\w+) panel\b/g, (name) => panels.includes(name))).toEqual([])
  })
})
