import { createHash, timingSafeEqual } from 'node:crypto'

/** A credential as it is compared: never the text, so that neither its length nor its prefix shows in the time. */
export function digest(credential: string): Buffer {
  return createHash('sha256').update(credential, 'utf8').digest()
}

/** The entry that the presented credential belongs to. Looks at all of them whether or not one was found. */
export function findCredential<T extends { readonly digest: Buffer }>(
  known: readonly T[],
  presented: string,
): T | null {
  const given = digest(presented)
  let found: T | null = null
  for (const entry of known) if (timingSafeEqual(entry.digest, given)) found = entry
  return found
}

/** The token of `Authorization: Bearer …`, or null. */
export function bearer(authorization: string | undefined): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1] ?? null
}
