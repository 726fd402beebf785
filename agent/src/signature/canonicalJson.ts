import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/**
 * Canonical JSON (RFC 8785).
 * @throws Error if JSON cannot represent the value: undefined, NaN, infinity, a lone surrogate
 */
export function toCanonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new Error('undefined has no canonical JSON')
  return text
}

/** SHA-256 of the canonical JSON, in hex. */
export function canonicalHash(value: unknown): string {
  return createHash('sha256').update(toCanonicalJson(value)).digest('hex')
}
