/** Longest text of a record whose texts the database refused. */
const MAX_TEXT_LENGTH = 1_000

/** The same plain value with texts that a database of any encoding can store: printable ASCII, not too long. */
export function toPlainTexts<T>(value: T): T {
  return mapTexts(value) as T
}

function mapTexts(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT_LENGTH).replace(/[^\x20-\x7e]/g, '?')
  if (Array.isArray(value)) return value.map(mapTexts)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [mapTexts(key), mapTexts(inner)]))
}
