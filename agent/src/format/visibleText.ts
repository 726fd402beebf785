/**
 * Texts from outside, such as keys, names and reasons, as they leave the agent: in a terminal, a log line, a report,
 * a page. Characters that are invisible, or that reorder the text around them, are written as `<U+202E>`, like in
 * `less`.
 */

/**
 * Control characters (C0, DEL, C1), format characters (bidirectional controls, zero-width spaces, tags), line and
 * paragraph separators, and lone surrogates. Joiners stay: scripts and emoji need them.
 */
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
/** With what already looks like an escape, so that each text has its own visible form. */
const HIDDEN_OR_ESCAPE = new RegExp(`${HIDDEN.source}|<(?=U\\+[0-9A-F]{4,6}>)`, 'gu')
const HIDDEN_ANYWHERE = new RegExp(HIDDEN.source, 'gu')
const ESCAPE = /<U\+([0-9A-F]{4,6})>/g

/** One line: no line break and no tab is left either. */
export const toVisibleLine = (text: string): string => text.replace(HIDDEN_OR_ESCAPE, escapeCharacter)

/** Several lines: line feeds and tabs stay. */
export const toVisibleLines = (text: string): string =>
  text.replace(HIDDEN_OR_ESCAPE, (character) =>
    character === '\n' || character === '\t' ? character : escapeCharacter(character),
  )

/** The text that one of the functions above made visible. */
export const fromVisibleText = (text: string): string =>
  text.replace(ESCAPE, (escape, digits: string) => {
    const code = Number.parseInt(digits, 16)
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : ''
    return character === '<' || HIDDEN.test(character) ? character : escape
  })

/** JSON in which hidden characters are JSON's own escapes: it parses to the same value. On one line without `indent`. */
export const toVisibleJson = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) ?? 'null').replace(HIDDEN_ANYWHERE, (character) =>
    // Inside strings, JSON has escaped line feeds already.
    character === '\n'
      ? character
      : character
          .split('')
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
          .join(''),
  )

function escapeCharacter(character: string): string {
  return `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`
}
