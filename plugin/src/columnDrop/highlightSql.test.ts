import { expect, test } from 'vitest'
import { highlightSql } from './highlightSql'

test('the tokens add up to the text, and each has its kind', () => {
  const sql = `-- Drops it.\nalter table "Select" drop column is_truck; /* a\nb */ select 'it''s', 10 from x2 where a = $$b$$`
  const tokens = highlightSql(sql)
  expect(tokens.map(({ text }) => text).join('')).toBe(sql)
  const textsOf = (kind: string) => tokens.filter((token) => token.kind === kind).map(({ text }) => text)
  expect(textsOf('comment')).toEqual(['-- Drops it.', '/* a\nb */'])
  expect(textsOf('string')).toEqual([`'it''s'`])
  expect(textsOf('number')).toEqual(['10'])
  expect(textsOf('keyword')).toEqual(['alter', 'table', 'drop', 'column', 'select', 'from', 'where'])
  expect(highlightSql('')).toEqual([])
})
