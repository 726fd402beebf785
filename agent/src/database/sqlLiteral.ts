/**
 * A text as a literal of SQL that consists of ASCII characters only and means the same whatever
 * standard_conforming_strings says. PostgreSQL converts the other characters to the encoding of the database.
 */
export function asciiLiteral(text: string): string {
  const escaped = [...text].map((character) => {
    const code = character.codePointAt(0)!
    if (character === "'") return "''"
    if (character === '\\') return '\\\\'
    if (code >= 0x20 && code < 0x7f) return character
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
  return `E'${escaped.join('')}'`
}
