import { createHash, timingSafeEqual } from 'node:crypto'

/** The digest that is compared instead of the text, so that timing reveals neither length nor prefix. */
export function digestCredential(credential: string): Buffer {
  return createHash('sha256').update(credential, 'utf8').digest()
}

/** The entry of the presented credential. Compares all entries, so that timing does not reveal a match. */
export function findCredential<T extends { readonly digest: Buffer }>(
  known: readonly T[],
  presented: string,
): T | null {
  const presentedDigest = digestCredential(presented)
  let match: T | null = null
  for (const entry of known) if (timingSafeEqual(entry.digest, presentedDigest)) match = entry
  return match
}

/** The token of `Authorization: Bearer …`, or null. */
export function parseBearerToken(authorization: string | undefined): string | null {
  return /^Bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1] ?? null
}
