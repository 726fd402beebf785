import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import type { PublicKey } from '../contract/index.ts'

export interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicKey: PublicKey
}

/** A key accepted for reports of one environment. Null: for any environment, which only a person may decide. */
export interface TrustedKey {
  readonly kid: string
  readonly x: string
  readonly environment: string | null
}

/** A key that cannot be used. The message never shows it. */
export class InvalidKey extends Error {
  readonly code = 'key'
}

/**
 * Reads a private key: Ed25519, PKCS#8, PEM.
 * @throws InvalidKey
 */
export function parseSigningKey(pem: string, environment: string): SigningKey {
  const key = readPem(() => createPrivateKey(pem), 'a private key as PKCS#8 PEM (openssl genpkey -algorithm ed25519)')
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  return {
    privateKey: key,
    publicKey: { kty: 'OKP', crv: 'Ed25519', x: x!, kid: thumbprint(x!), environment },
  }
}

const Jwk = z.looseObject({
  kty: z.literal('OKP', 'kty must be OKP'),
  crv: z.literal('Ed25519', 'crv must be Ed25519'),
  x: z.string('x is missing').regex(/^[A-Za-z0-9_-]{43}$/, 'x must be 32 bytes as base64url'),
  kid: z.string().optional(),
  environment: z.string('environment is missing: name the environment whose reports the key signs').min(1),
})
const Jwks = z.looseObject({ keys: z.array(Jwk, 'must be a list') })

/**
 * Reads a list of trusted public keys (JWKS), each with the environment whose reports it signs.
 * @throws InvalidKey
 */
export function parseTrustedKeys(text: string): TrustedKey[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new InvalidKey('is not JSON: use the format {"keys": […]}, as printed by sti signing-key')
  }
  const parsed = Jwks.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    throw new InvalidKey(path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message)
  }
  return parsed.data.keys.map((key, index) => {
    const kid = thumbprint(key.x)
    if ('d' in key)
      throw new InvalidKey(`keys.${index} is a private key: keep it secret, and list the public key instead`)
    if (key.kid !== undefined && key.kid !== kid)
      throw new InvalidKey(`keys.${index}: kid does not match the thumbprint of the key (RFC 7638), which is ${kid}`)
    return { kid, x: key.x, environment: key.environment }
  })
}

/**
 * Reads a public key as PEM (SPKI), to verify a report manually.
 * @throws InvalidKey
 */
export function parsePublicKey(pem: string): TrustedKey {
  if (/PRIVATE KEY/.test(pem)) throw new InvalidKey('is a private key: use the public key (openssl pkey -pubout)')
  const key = readPem(() => createPublicKey(pem), 'a public key as PEM')
  const { x } = key.export({ format: 'jwk' })
  return { kid: thumbprint(x!), x: x!, environment: null }
}

function readPem(read: () => KeyObject, what: string): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch {
    throw new InvalidKey(`is not ${what}`)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new InvalidKey(`is not an Ed25519 key but ${key.asymmetricKeyType}`)
  return key
}

/** The RFC 7638 thumbprint, with the members that RFC 8037 specifies for Ed25519. */
function thumbprint(x: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url')
}
