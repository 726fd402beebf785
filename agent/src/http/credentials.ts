import { createHash, timingSafeEqual } from 'node:crypto'

/** A credential as it is compared: never the text, so that neither its length nor its prefix shows in the time. */
export function digestCredential(credential: string): Buffer {
  return createHash('sha256').update(credential, 'utf8').digest()
}

/** The entry that the presented credential belongs to. Looks at all of them whether or not one was found. */
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
