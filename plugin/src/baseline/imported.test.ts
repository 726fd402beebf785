import { expect, test } from 'vitest'
import { readBaseline } from './imported'

test('a file that is no baseline says what would be one', () => {
  expect(() => readBaseline('a: 1')).toThrow('not JSON')
  expect(() => readBaseline('null')).toThrow('no baseline')
  expect(() => readBaseline('{"signals":[],"queries":{}}')).toThrow('no baseline')
  const content = { signals: [], queries: [], startedAt: '2026-11-26T10:00:00Z' }
  expect(readBaseline(JSON.stringify(content))).toEqual(content)
})
