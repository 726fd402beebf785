import { generateKeyPairSync } from 'node:crypto'
import { parseSigningKey, parseTrustedKeys, type SigningKey, type TrustedKey } from '../../agent/src/signature/keys.ts'

/** A new Ed25519 key of an environment, as its agent reads it from a file. */
export function newSigningKey(environment: string): SigningKey {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  return parseSigningKey(pem.toString(), environment)
}

/** The list of trusted keys as an agent reads it. */
export function trustKeys(...keys: readonly SigningKey[]): TrustedKey[] {
  return parseTrustedKeys(JSON.stringify({ keys: keys.map(({ publicKey }) => publicKey) }))
}
