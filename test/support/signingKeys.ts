import { generateKeyPairSync } from 'node:crypto'
import { parseSigningKey, parseTrustedKeys, type SigningKey, type TrustedKey } from '../../agent/src/signature/keys.ts'

/** Creates an Ed25519 signing key for an environment. */
export function newSigningKey(environment: string): SigningKey {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  return parseSigningKey(pem.toString(), environment)
}

/** Creates a list of trusted keys. */
export function trustKeys(...keys: readonly SigningKey[]): TrustedKey[] {
  return parseTrustedKeys(JSON.stringify({ keys: keys.map(({ publicKey }) => publicKey) }))
}
