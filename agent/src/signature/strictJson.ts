/** The text is not JSON that has one meaning for everybody; the message says why, as the end of a sentence. */
export class AmbiguousJsonError extends Error {
  readonly code = 'ambiguous-json'
}

/** No report is nested as deep; deeper ones would overflow the stack of whoever walks them. */
const MAX_DEPTH = 64

/**
 * Parses JSON and refuses what parsers read differently: a member that an object has twice, `__proto__`, and deep nesting.
 * @throws AmbiguousJsonError
 */
export function parseStrictJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AmbiguousJsonError('is not JSON, or it is truncated')
  }
  refuseAmbiguousMembers(text)
  return value
}

/** `text` is valid JSON, so only strings, colons and brackets have to be distinguished. */
function refuseAmbiguousMembers(text: string): void {
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs
  const open: (Set<string> | null)[] = []
  for (const { 0: token, 1: colon } of text.matchAll(tokens)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : null)
      if (open.length > MAX_DEPTH) throw new AmbiguousJsonError(`is nested more than ${MAX_DEPTH} levels deep`)
    } else if (token === '}' || token === ']') open.pop()
    else if (colon !== undefined) addMember(open.at(-1)!, JSON.parse(token.slice(0, -colon.length)) as string)
  }
}

function addMember(members: Set<string>, name: string): void {
  if (name === '__proto__') throw new AmbiguousJsonError('has a member __proto__')
  if (members.has(name)) throw new AmbiguousJsonError(`has the member ${JSON.stringify(name)} twice in one object`)
  members.add(name)
}

/**
 * The path of a member that `value` has and `parsed` has not, such as `report.validation.extra`; null: there is none.
 * `parsed` is what a schema made of `value`: it leaves out what it does not know.
 */
export function findUnknownMember(value: unknown, parsed: unknown): string | null {
  if (typeof value !== 'object' || value === null || typeof parsed !== 'object' || parsed === null) return null
  for (const [key, inner] of Object.entries(value)) {
    if (!Object.hasOwn(parsed, key)) return key
    const unknown = findUnknownMember(inner, (parsed as Record<string, unknown>)[key])
    if (unknown !== null) return `${key}.${unknown}`
  }
  return null
}
