import { expect, test } from 'vitest'
import { findUnstorableText, isStorableText, toStorableText } from './text.ts'

test('what PostgreSQL cannot store is U+0000 and half of a surrogate pair, and nothing else', () => {
  for (const text of ['', 'plain', 'ä漢😀', '\u0001\u001b\uffff\ufffe', '\u202e']) {
    expect([text, isStorableText(text)]).toEqual([text, true])
    expect(toStorableText(text)).toBe(text)
  }
  for (const text of ['\0', 'a\0b', '\ud800', 'x\udfff', '\udc00\ud800', '😀\ud83d']) {
    expect([text, isStorableText(text)]).toEqual([text, false])
    expect(isStorableText(toStorableText(text))).toBe(true)
  }
})

test('it is found in keys and values, however deep, with its path', () => {
  expect(findUnstorableText({ a: [1, null, { b: 'x' }] })).toBeNull()
  expect(findUnstorableText('\0')).toEqual([])
  expect(findUnstorableText({ a: [1, { b: 'x\0' }], c: '\0' })).toEqual(['a', 1, 'b'])
  expect(findUnstorableText({ a: { 'k\ud800': 1 } })).toEqual(['a', 'k\ud800'])
  let deep: unknown = 'x\0'
  for (let depth = 0; depth < 100_000; depth++) deep = [deep]
  expect(findUnstorableText(deep)).toHaveLength(100_000)
})
