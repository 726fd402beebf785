import { expect, test } from 'vitest'
import { parseBaseline } from './parseBaseline'

test('a file that is no baseline says what would be one', () => {
  expect(() => parseBaseline('a: 1')).toThrow('not JSON')
  expect(() => parseBaseline('null')).toThrow('no baseline')
  expect(() => parseBaseline('{"signals":[],"queries":{}}')).toThrow('no baseline')
  const content = { signals: [], queries: [], startedAt: '2026-11-26T10:00:00Z' }
  expect(parseBaseline(JSON.stringify(content))).toEqual(content)
})
