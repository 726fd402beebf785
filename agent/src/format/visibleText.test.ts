import { describe, expect, test } from 'vitest'
import { escapeHtml } from './html.ts'
import { escapeMarkdown, markdownCode, markdownCodeBlock } from './markdown.ts'
import { fromVisibleText, toVisibleJson, toVisibleLine, toVisibleLines } from './visibleText.ts'

const HIDDEN = [
  ...Array.from({ length: 0x20 }, (_, code) => code),
  ...Array.from({ length: 0x21 }, (_, index) => 0x7f + index),
  ...[0xad, 0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e],
  ...[0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xfff9, 0xe0001, 0xe0041, 0xd800, 0xdfff],
].map((code) => String.fromCodePoint(code))

describe('invisible characters', () => {
  test.each(HIDDEN)('character %j is escaped and restored', (character) => {
    const text = `a${character}b`
    const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
    expect(toVisibleLine(text)).toBe(`a<U+${code}>b`)
    expect(fromVisibleText(toVisibleLine(text))).toBe(text)
    expect(fromVisibleText(toVisibleLines(text))).toBe(text)
    const json = toVisibleJson({ text })
    expect(json).not.toContain(character)
    expect(JSON.parse(json)).toEqual({ text })
  })

  test('line feeds and tabs are kept in text with several lines', () => {
    expect(toVisibleLines('a\n\tb\r\u202e')).toBe('a\n\tb<U+000D><U+202E>')
  })

  test.each(['plain', 'Größe 名前 مرحبا 👩‍👩‍👧', '<b>', '<U+12>', 'U+202E'])('%s is unchanged', (text) => {
    expect(toVisibleLine(text)).toBe(text)
    expect(fromVisibleText(text)).toBe(text)
  })

  test('a text that looks like an escape has another form than the character', () => {
    expect(toVisibleLine('<U+202E>')).toBe('<U+003C>U+202E>')
    expect(fromVisibleText(toVisibleLine('<U+202E>'))).toBe('<U+202E>')
    // Only escaped characters are restored.
    expect(fromVisibleText('<U+0041> <U+FFFFFF>')).toBe('<U+0041> <U+FFFFFF>')
  })
})

describe('Markdown and HTML', () => {
  test.each([
    ['<img src=x onerror=alert(1)>', /</],
    ['a | b `c` *d* _e_ [f](https://g) ![h](//i)', /[^\\][|`*_[\]()!]/],
    ['https://example.com www.example.com', /:\/\/|www\./],
    ['- [x] done', /^-/],
    ['1. first', /^1\./],
    ['=== heading', /^=/],
    ['# heading\n## next', /\n|^#/],
  ])('%s is text in Markdown', (text, raw) => {
    expect(escapeMarkdown(text).replaceAll('<!-- -->', '')).not.toMatch(raw)
  })

  test('text cannot mention users or reference issues', () => {
    expect(escapeMarkdown('@octocat fixes #12')).toBe('\\@<!-- -->octocat fixes \\#<!-- -->12')
  })

  test('code cannot end early', () => {
    expect(markdownCode('a`b</code>')).toBe('<code>a\\`b&lt;/code&gt;</code>')
    expect(markdownCodeBlock('a\n````\nb\u001b')).toBe('`````\na\n````\nb<U+001B>\n`````')
  })

  test('HTML has no markup and nothing hidden', () => {
    expect(escapeHtml(`<b a="'">&\u202e`)).toBe('&lt;b a=&quot;&#39;&quot;&gt;&amp;&lt;U+202E&gt;')
  })
})
