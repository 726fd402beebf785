import { generateKeyPairSync } from 'node:crypto'
import { CompactSign, FlattenedSign } from 'jose'
import { expect, test } from 'vitest'
import type { SignedReport } from '../contract/index.ts'
import { canonical, canonicalHash } from './canonical.ts'
import { publicKeyOf, signingKeyOf, trustedKeysOf, type SigningKey, type TrustedKey } from './keys.ts'
import { TYPE } from './sign.ts'
import { verifyReport } from './verify.ts'

const pair = generateKeyPairSync('ed25519')
const key = signingKeyOf(pem(pair), 'staging')
const trusted = list(key)

/** Signed as by an agent; the content of a real report is looked at in test/evidence. */
async function signed(
  of: { header?: Record<string, unknown>; by?: SigningKey; claims?: Record<string, unknown> } = {},
): Promise<SignedReport> {
  const report = { environment: 'staging', rollout: 'vehicles', generatedAt: '2026-01-01T00:00:00.000Z' }
  const hash = canonicalHash(report)
  const header = { alg: 'EdDSA', typ: TYPE, kid: key.publicKey.kid, ...of.header }
  const signature = await new CompactSign(bytes({ hash, ...report, ...of.claims }))
    .setProtectedHeader(header)
    .sign((of.by ?? key).privateKey)
  return { report: report as never, hash, signature, unsigned: null }
}

function refusal(value: unknown, keys: readonly TrustedKey[] = trusted): Promise<string> {
  return verifyReport(value, keys).then(
    () => 'taken',
    (error: Error & { code?: string }) => (error.code === 'refused' ? error.message : Promise.reject(error)),
  )
}

/** It gets past the signature, and only then is seen to be no whole report. */
const READ = /is of another version of the agent/

test('a signature is taken only from a key that is trusted, named, and for its environment', async () => {
  expect(await refusal(await signed())).toMatch(READ)
  const other = newKey()
  expect(await refusal(await signed(), list(other))).toMatch(/not among the trusted/)
  expect(await refusal(await signed(), [])).toMatch(/not among the trusted/)
  // A stranger who says that he is the trusted key.
  expect(await refusal(await signed({ by: other }))).toMatch(/not one of key/)
  expect(await refusal(await signed({ header: { kid: undefined } }))).toMatch(/names no key/)
  expect(await refusal(await signed({ header: { typ: 'JWT' } }))).toMatch(/typ JWT/)
  expect(await refusal(await signed({ claims: { hash: '0' } }))).toMatch(/of another report/)
})

test('no other algorithm is taken, whatever the header says', async () => {
  const none = [{ alg: 'none', typ: TYPE, kid: key.publicKey.kid }, (await signed()).report]
  const unsecured = `${none.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`
  expect(await refusal({ ...(await signed()), signature: unsecured })).toMatch(/alg none; only EdDSA/)
  // The public key as if it were a shared secret.
  const secret = Buffer.from(key.publicKey.x, 'base64url')
  const shared = await new CompactSign(bytes({}))
    .setProtectedHeader({ alg: 'HS256', typ: TYPE, kid: key.publicKey.kid })
    .sign(secret)
  expect(await refusal({ ...(await signed()), signature: shared })).toMatch(/alg HS256; only EdDSA/)
})

test('what was changed or cut off anywhere is refused', async () => {
  const good = await signed()
  const changed = { ...good, report: { ...good.report, environment: 'production' } }
  expect(await refusal(changed)).toMatch(/was changed/)
  expect(await refusal({ ...changed, hash: canonicalHash(changed.report) })).toMatch(/of another report/)
  expect(await refusal({ ...good, signature: null, unsigned: 'no key' })).toBe('The report is not signed. no key')
  const [header, payload, mark] = good.signature!.split('.')
  for (const cut of [`${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.${mark!.slice(0, -2)}`])
    expect(await refusal({ ...good, signature: cut })).toMatch(/not one of key|cannot be read/)
  expect(await refusal({ ...good, signature: `${header!.slice(0, 9)}.${payload}.${mark}` })).toMatch(/cannot be read/)
  expect(await refusal({ ...good, signature: '' })).toMatch(/cannot be read/)
  for (const nothing of [null, 'text', [], {}, { report: null }, { ...good, signature: undefined }])
    expect(await refusal(nothing)).toMatch(/no report of ours/)
  // Another serialization of a JWS is not the one that is agreed on.
  const flat = await new FlattenedSign(bytes({})).setProtectedHeader({ alg: 'EdDSA' }).sign(key.privateKey)
  expect(await refusal({ ...good, signature: JSON.stringify(flat) })).toMatch(/cannot be read/)
})

test('a key of one environment cannot speak for another; a person with a public key may read any', async () => {
  const staging = await signed()
  const elsewhere = trusted.map((one) => ({ ...one, environment: 'test' }))
  // Refused before the environment is compared with what the report says, or after: refused.
  expect(await refusal(staging, elsewhere)).not.toBe('taken')
  const byHand = publicKeyOf(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString())
  expect(byHand).toEqual({ kid: key.publicKey.kid, x: key.publicKey.x, environment: null })
  expect(await refusal(staging, [byHand])).toMatch(READ)
})

test('keys that are none of ours say what is wrong, and show nothing', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const fault = (read: () => unknown): string => {
    try {
      read()
    } catch (error) {
      return (error as Error).message
    }
    return 'taken'
  }
  expect(fault(() => signingKeyOf(pem(rsa), 'staging'))).toBe('is no Ed25519 key but rsa')
  expect(fault(() => signingKeyOf('secret words', 'staging'))).toMatch(/^is not a private key as PKCS#8 PEM/)
  expect(fault(() => publicKeyOf(pem(pair)))).toMatch(/is a private key/)
  const jwk = { ...key.publicKey }
  const keys = (change: object): string => JSON.stringify({ keys: [{ ...jwk, ...change }] })
  expect(fault(() => trustedKeysOf(keys({ d: 'secret' })))).toMatch(/keys.0 is a private key/)
  expect(fault(() => trustedKeysOf(keys({ kid: 'mine' })))).toMatch(/thumbprint/)
  expect(fault(() => trustedKeysOf(keys({ environment: undefined })))).toMatch(/environment is missing/)
  expect(fault(() => trustedKeysOf(keys({ crv: 'X25519' })))).toMatch(/crv must be Ed25519/)
  expect(fault(() => trustedKeysOf('-----BEGIN'))).toMatch(/not JSON/)
  expect(fault(() => trustedKeysOf('[]'))).not.toBe('taken')
  expect(trustedKeysOf(keys({ kid: undefined }))).toEqual(trusted)
})

test('the hash is of the content, however it is written', () => {
  expect(canonical({ b: [1, { d: null, c: 'é"' }], a: 1e21 })).toBe('{"a":1e+21,"b":[1,{"c":"é\\"","d":null}]}')
  expect(canonical(JSON.parse('{"__proto__": 1, "a": 2}'))).toBe('{"__proto__":1,"a":2}')
  expect(canonicalHash({ a: 1, b: 2 })).toBe(canonicalHash(JSON.parse('{ "b": 2,\n "a": 1.0 }')))
})

function pem({ privateKey }: { privateKey: import('node:crypto').KeyObject }): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function newKey(): SigningKey {
  return signingKeyOf(pem(generateKeyPairSync('ed25519')), 'staging')
}

function list(of: SigningKey): TrustedKey[] {
  return trustedKeysOf(JSON.stringify({ keys: [of.publicKey] }))
}

function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}
