import { expect, test } from 'vitest'
import { parseBaseline } from './parseBaseline'

test('a file that is not a baseline is refused with a hint', () => {
  expect(() => parseBaseline('a: 1')).toThrow('not JSON')
  expect(() => parseBaseline('null')).toThrow('not a baseline')
  expect(() => parseBaseline('{"signals":[],"queries":{}}')).toThrow('not a baseline')
  const content = { signals: [], queries: [], startedAt: '2026-11-26T10:00:00Z' }
  expect(parseBaseline(JSON.stringify(content))).toEqual(content)
})
