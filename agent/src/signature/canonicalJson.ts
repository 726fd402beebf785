import { createHash } from 'node:crypto'

/** Canonical JSON (RFC 8785): keys sorted by UTF-16 code units, numbers and strings as ECMAScript writes them. */
export function toCanonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(value))
}

/** SHA-256 of the canonical JSON, in hex. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(toCanonicalJson(value)).digest('hex')
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  // No prototype, so that __proto__ is an ordinary key.
  const result = Object.create(null) as Record<string, unknown>
  for (const [key, inner] of entries) result[key] = sortKeys(inner)
  return result
}
