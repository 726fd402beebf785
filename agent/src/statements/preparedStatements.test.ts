import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DRIVERS } from './preparedStatements.ts'

test('the table of drivers in docs/column-drop.md says what the previews and the pull request say', () => {
  const text = readFileSync(new URL('../../../docs/column-drop.md', import.meta.url), 'utf8')
  const [, table] = text.match(/^\| driver .*\n\|[ -|]*\n((?:\|.*\n)+)/m) ?? []
  const rows = table!
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replaceAll('`', '')
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
  expect(rows).toEqual(DRIVERS.map(({ driver, prepares, onError, setting }) => [driver, prepares, onError, setting]))
})
