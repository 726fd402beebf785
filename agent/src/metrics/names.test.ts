import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { METRICS } from './names.ts'

test('docs/metrics.md has exactly the exported series, with type, labels, and meaning', async () => {
  const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `sti_'))
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
  const documented = cells.map(([, name, type, , labels, help]) => ({ name, type, labels, help }))
  expect(documented).toEqual(METRICS.map((series) => ({ ...series, labels: series.labels.join(', ') })))
})
