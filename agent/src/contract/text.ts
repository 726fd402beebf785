/** With the flag `u`, a surrogate pair is one character, so that only a lone surrogate is in Cs. */
const LONE_SURROGATE = /\p{Cs}/u

/** What a refusal says of a text that PostgreSQL cannot store. */
export const UNSTORABLE_TEXT = 'contains U+0000 or half of a surrogate pair, which PostgreSQL cannot store: remove it'

export function isStorableText(text: string): boolean {
  return !text.includes('\0') && !LONE_SURROGATE.test(text)
}

/** The path of the first text, key or value, in a parsed document that PostgreSQL cannot store; null: there is none. */
export function findUnstorableText(document: unknown): readonly (string | number)[] | null {
  // Not recursive: a document may be nested deeper than the stack.
  const pending: { readonly value: unknown; readonly parent: PathLink | null }[] = [{ value: document, parent: null }]
  // An alias of YAML can contain itself.
  const visited = new Set<object>()
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const { value, parent } = item
    if (typeof value === 'string' && !isStorableText(value)) return toPath(parent)
    if (typeof value !== 'object' || value === null || visited.has(value)) continue
    visited.add(value)
    const entries: [string | number, unknown][] = Array.isArray(value)
      ? value.map((element, index) => [index, element])
      : Object.entries(value)
    for (const [key, element] of entries.reverse()) {
      const link = { key, parent }
      if (typeof key === 'string' && !isStorableText(key)) return toPath(link)
      pending.push({ value: element, parent: link })
    }
  }
  return null
}

interface PathLink {
  readonly key: string | number
  readonly parent: PathLink | null
}

function toPath(last: PathLink | null): (string | number)[] {
  const path: (string | number)[] = []
  for (let link = last; link !== null; link = link.parent) path.push(link.key)
  return path.reverse()
}

/** The text with U+FFFD in place of what PostgreSQL cannot store. */
export function toStorableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').replace(/\p{Cs}/gu, '\ufffd')
}
