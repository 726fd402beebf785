import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'

const { LAYERS } = createRequire(import.meta.url)('../layers.cjs') as { LAYERS: readonly (readonly string[])[] }
const root = new URL('../', import.meta.url)
const readText = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8')
const docs = (await readdir(new URL('docs/', root)))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
const pages = ['README.md', 'CONTRIBUTING.md', 'bench/README.md', 'alerts/RUNBOOK.md', ...docs]

/** The build of the plugin, and a folder of a Grafana installation. */
const NOT_IN_REPOSITORY = /^plugin\/dist|^provisioning\/alerting$/

test('the table of folders lists the layers in their order', async () => {
  const [, table = ''] = (await readText('CONTRIBUTING.md')).split(/^\| layer .*\n.*\n/m)
  const rows = table.split('\n\n')[0]!.split('\n')
  const names = rows.map((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name))
  expect(names).toEqual(LAYERS)
})

test.each(pages)('every path that %s names exists', async (page) => {
  const text = await readText(page)
  const named = [...text.matchAll(/`((?:agent|plugin|demo|deploy|bench|test|alerts|provisioning|docs)\/[\w./-]+)`/g)]
  const paths = named.map(([, path]) => path!).filter((path) => !NOT_IN_REPOSITORY.test(path))
  const missing = paths.filter((path) => !existsSync(new URL(path, root)))
  expect(missing).toEqual([])
})

test.each(pages)('every relative link of %s leads to a file', async (page) => {
  const targets = [...(await readText(page)).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(
    ([, target]) => target!,
  )
  const missing = targets.filter((target) => !existsSync(new URL(`${dirname(page)}/${target}`, root)))
  expect(missing).toEqual([])
})
