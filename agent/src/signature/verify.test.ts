import { generateKeyPairSync } from 'node:crypto'
import { CompactSign, FlattenedSign } from 'jose'
import { expect, test } from 'vitest'
import type { SignedReport } from '../contract/index.ts'
import { canonicalHash } from './canonicalJson.ts'
import { parsePublicKey, parseSigningKey, parseTrustedKeys, type SigningKey, type TrustedKey } from './keys.ts'
import { JWS_TYPE } from './sign.ts'
import { findUnknownMember } from './strictJson.ts'
import { parseReport, verifyReport } from './verify.ts'

const keyPair = generateKeyPairSync('ed25519')
const key = parseSigningKey(toPem(keyPair), 'staging')
const trustedKeys = toTrustedKeys(key)

/** Signs like an agent; test/evidence covers the content of real reports. */
async function createSignedReport(
  options: { header?: Record<string, unknown>; by?: SigningKey; claims?: Record<string, unknown> } = {},
): Promise<SignedReport> {
  const report = { environment: 'staging', rollout: 'vehicles', generatedAt: '2026-01-01T00:00:00.000Z' }
  const hash = canonicalHash(report)
  const header = { alg: 'EdDSA', typ: JWS_TYPE, kid: key.publicKey.kid, ...options.header }
  const signature = await new CompactSign(encodeJson({ hash, ...report, ...options.claims }))
    .setProtectedHeader(header)
    .sign((options.by ?? key).privateKey)
  return { report: report as never, hash, signature, unsigned: null }
}

function readRefusal(value: unknown, keys: readonly TrustedKey[] = trustedKeys): Promise<string> {
  return verifyReport(value, keys).then(
    () => 'taken',
    (error: Error & { code?: string }) => (error.code === 'refused' ? error.message : Promise.reject(error)),
  )
}

/** The signature is accepted, and only then the incomplete report is refused. */
const SIGNATURE_ACCEPTED = /incompatible version of the agent/

test('a signature is accepted only from a trusted and named key of its environment', async () => {
  expect(await readRefusal(await createSignedReport())).toMatch(SIGNATURE_ACCEPTED)
  const other = newKey()
  expect(await readRefusal(await createSignedReport(), toTrustedKeys(other))).toMatch(/which is not trusted/)
  expect(await readRefusal(await createSignedReport(), [])).toMatch(/which is not trusted/)
  // An unknown key with the ID of the trusted key.
  expect(await readRefusal(await createSignedReport({ by: other }))).toMatch(/does not match key/)
  expect(await readRefusal(await createSignedReport({ header: { kid: undefined } }))).toMatch(/has no key ID/)
  expect(await readRefusal(await createSignedReport({ header: { typ: 'JWT' } }))).toMatch(/typ JWT/)
  expect(await readRefusal(await createSignedReport({ claims: { hash: '0' } }))).toMatch(
    /belongs to a different report/,
  )
})

test('no other algorithm is accepted, whatever the header contains', async () => {
  const none = [{ alg: 'none', typ: JWS_TYPE, kid: key.publicKey.kid }, (await createSignedReport()).report]
  const unsecured = `${none.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`
  expect(await readRefusal({ ...(await createSignedReport()), signature: unsecured })).toMatch(/alg none; only EdDSA/)
  // The public key used as a shared secret.
  const secret = Buffer.from(key.publicKey.x, 'base64url')
  const shared = await new CompactSign(encodeJson({}))
    .setProtectedHeader({ alg: 'HS256', typ: JWS_TYPE, kid: key.publicKey.kid })
    .sign(secret)
  expect(await readRefusal({ ...(await createSignedReport()), signature: shared })).toMatch(/alg HS256; only EdDSA/)
})

test('a report that was modified or truncated anywhere is refused', async () => {
  const good = await createSignedReport()
  const changed = { ...good, report: { ...good.report, environment: 'production' } }
  expect(await readRefusal(changed)).toMatch(/was changed/)
  expect(await readRefusal({ ...changed, hash: canonicalHash(changed.report) })).toMatch(
    /belongs to a different report/,
  )
  expect(await readRefusal({ ...good, signature: null, unsigned: 'no key' })).toBe('The report is not signed. no key')
  const [header, payload, mark] = good.signature!.split('.')
  for (const cut of [`${header}.${payload}.`, `${header}.${payload}`, `${header}.${payload}.${mark!.slice(0, -2)}`])
    expect(await readRefusal({ ...good, signature: cut })).toMatch(/does not match key|cannot be parsed/)
  expect(await readRefusal({ ...good, signature: `${header!.slice(0, 9)}.${payload}.${mark}` })).toMatch(
    /cannot be parsed/,
  )
  expect(await readRefusal({ ...good, signature: '' })).toMatch(/cannot be parsed/)
  for (const nothing of [null, 'text', [], {}, { report: null }, { ...good, signature: undefined }])
    expect(await readRefusal(nothing)).toMatch(/not an STI report/)
  // Other serializations of a JWS are not accepted.
  const flat = await new FlattenedSign(encodeJson({})).setProtectedHeader({ alg: 'EdDSA' }).sign(key.privateKey)
  expect(await readRefusal({ ...good, signature: JSON.stringify(flat) })).toMatch(/cannot be parsed/)
})

test('a key of one environment is not accepted for another; a person with a public key may verify any report', async () => {
  const staging = await createSignedReport()
  const elsewhere = trustedKeys.map((trusted) => ({ ...trusted, environment: 'test' }))
  // The report is refused, whether before or after its environment is compared.
  expect(await readRefusal(staging, elsewhere)).not.toBe('taken')
  const byHand = parsePublicKey(keyPair.publicKey.export({ type: 'spki', format: 'pem' }).toString())
  expect(byHand).toEqual({ kid: key.publicKey.kid, x: key.publicKey.x, environment: null })
  expect(await readRefusal(staging, [byHand])).toMatch(SIGNATURE_ACCEPTED)
})

test('an invalid key is refused with the reason, and is not shown', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const fault = (read: () => unknown): string => {
    try {
      read()
    } catch (error) {
      return (error as Error).message
    }
    return 'taken'
  }
  expect(fault(() => parseSigningKey(toPem(rsa), 'staging'))).toBe('is not an Ed25519 key but rsa')
  expect(fault(() => parseSigningKey('secret words', 'staging'))).toMatch(/^is not a private key as PKCS#8 PEM/)
  expect(fault(() => parsePublicKey(toPem(keyPair)))).toMatch(/is a private key/)
  const jwk = { ...key.publicKey }
  const keys = (change: object): string => JSON.stringify({ keys: [{ ...jwk, ...change }] })
  expect(fault(() => parseTrustedKeys(keys({ d: 'secret' })))).toMatch(/keys.0 is a private key/)
  expect(fault(() => parseTrustedKeys(keys({ kid: 'mine' })))).toMatch(/thumbprint/)
  expect(fault(() => parseTrustedKeys(keys({ environment: undefined })))).toMatch(/environment is missing/)
  expect(fault(() => parseTrustedKeys(keys({ crv: 'X25519' })))).toMatch(/crv must be Ed25519/)
  expect(fault(() => parseTrustedKeys('-----BEGIN'))).toMatch(/not JSON/)
  expect(fault(() => parseTrustedKeys('[]'))).not.toBe('taken')
  expect(parseTrustedKeys(keys({ kid: undefined }))).toEqual(trustedKeys)
})

test('a file that can be read in two ways is refused with what is wrong, whatever its signature says', async () => {
  const good = await createSignedReport()
  const text = JSON.stringify(good)
  const refusalOf = (file: string): string => {
    try {
      parseReport(file)
      return 'taken'
    } catch (error) {
      return (error as Error).message
    }
  }
  expect(refusalOf(text)).toBe('taken')
  expect(refusalOf(JSON.stringify(good, null, 2))).toBe('taken')
  const inside = text.replace('"rollout":"vehicles"', '"rollout":"other","rollout":"vehicles"')
  expect(refusalOf(inside)).toBe('The report has the member "rollout" twice in one object.')
  // The same name, written differently; a quote and a bracket in a text.
  expect(refusalOf(String.raw`{"a\"]{":1,"b":[{"b":2}],"\u0062":3}`)).toBe(
    'The report has the member "b" twice in one object.',
  )
  expect(refusalOf(text.replace('{"report"', '{"hash":"0","report"'))).toMatch(/the member "hash" twice/)
  expect(refusalOf(text.replace('{"report":{', '{"report":{"__proto__":{"verified":true},'))).toBe(
    'The report has a member __proto__.',
  )
  expect(refusalOf(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toMatch(/nested more than 64 levels deep/)
  expect(refusalOf(`{"a":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`)).toMatch(/nested more than 64 levels deep/)
  expect(refusalOf(text.slice(0, -1))).toBe('The report is not JSON, or it is truncated.')
})

test('what no signature covers is refused, and so is a parameter or a claim that nobody knows', async () => {
  const good = await createSignedReport()
  expect(await readRefusal({ ...good, note: 'approved' })).toMatch(/no signature covers its member note/)
  expect(await readRefusal({ ...good, unsigned: 'ignore the signature' })).toMatch(
    /has a signature, and says why it has none/,
  )
  expect(await readRefusal({ ...good, report: { ...good.report, text: '\ud800' } })).toMatch(/was changed/)
  expect(await readRefusal(await createSignedReport({ header: { jku: 'http://stranger' } }))).toMatch(
    /does not know: jku/,
  )
  expect(await readRefusal(await createSignedReport({ claims: { admin: true } }))).toMatch(/does not match key/)
})

test('a member that a schema leaves out is found wherever it is', () => {
  const parsed = { a: [{ b: 1 }, { b: 2 }], c: null }
  expect(findUnknownMember(structuredClone(parsed), parsed)).toBeNull()
  expect(findUnknownMember({ ...parsed, a: [{ b: 1 }, { b: 2, extra: 1 }] }, parsed)).toBe('a.1.extra')
  expect(findUnknownMember({ ...parsed, constructor: 1 }, parsed)).toBe('constructor')
})

function toPem({ privateKey }: { privateKey: import('node:crypto').KeyObject }): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function newKey(): SigningKey {
  return parseSigningKey(toPem(generateKeyPairSync('ed25519')), 'staging')
}

function toTrustedKeys(signingKey: SigningKey): TrustedKey[] {
  return parseTrustedKeys(JSON.stringify({ keys: [signingKey.publicKey] }))
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}
