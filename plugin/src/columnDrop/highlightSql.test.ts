import { expect, test } from 'vitest'
import { highlightSql } from './highlightSql'

test('the pieces are the text again, and each is what it looks like', () => {
  const sql = `-- Drops it.\nalter table "Select" drop column is_truck; /* a\nb */ select 'it''s', 10 from x2 where a = $$b$$`
  const pieces = highlightSql(sql)
  expect(pieces.map(({ text }) => text).join('')).toBe(sql)
  const of = (kind: string) => pieces.filter((piece) => piece.kind === kind).map(({ text }) => text)
  expect(of('comment')).toEqual(['-- Drops it.', '/* a\nb */'])
  expect(of('string')).toEqual([`'it''s'`])
  expect(of('number')).toEqual(['10'])
  expect(of('keyword')).toEqual(['alter', 'table', 'drop', 'column', 'select', 'from', 'where'])
  expect(highlightSql('')).toEqual([])
})
