import { compactVerify, decodeProtectedHeader, importJWK, type ProtectedHeaderParameters } from 'jose'
import { z } from 'zod'
import { EvidenceReport } from '../contract/index.ts'
import { canonicalHash } from './canonicalJson.ts'
import type { TrustedKey } from './keys.ts'
import { AmbiguousJsonError, findUnknownMember, parseStrictJson } from './strictJson.ts'
import { JWS_ALGORITHM, JWS_TYPE } from './sign.ts'

/** The report cannot be trusted; the message says why. */
export class ReportRefused extends Error {
  readonly code = 'refused'
  readonly reasons: readonly string[]
  constructor(sentence: string) {
    super(sentence)
    this.reasons = [sentence]
  }
}

export interface VerifiedReport {
  readonly report: EvidenceReport
  readonly hash: string
  readonly key: TrustedKey
}

const ReportEnvelope = z.strictObject({
  report: z.record(z.string(), z.unknown()),
  hash: z.string(),
  signature: z.string().nullable(),
  unsigned: z.string().nullable(),
})
const SignedClaims = z.strictObject({
  hash: z.string(),
  environment: z.string(),
  rollout: z.string(),
  generatedAt: z.string(),
})

/**
 * Parses a report as it was downloaded.
 * @throws ReportRefused if the text could be read in two ways
 */
export function parseReport(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (error) {
    if (error instanceof AmbiguousJsonError) throw new ReportRefused(`The report ${error.message}.`)
    throw error
  }
}

/**
 * Verifies a signed report that `parseReport` parsed: its content against its hash, and the hash against the signature of a trusted key. Requires
 * `kid` and Ed25519: without `kid` any single key would match, and `alg` is chosen by the signer.
 * @throws ReportRefused
 */
export async function verifyReport(value: unknown, keys: readonly TrustedKey[]): Promise<VerifiedReport> {
  const envelope = ReportEnvelope.safeParse(value)
  if (!envelope.success) {
    const unknown = envelope.error.issues.find((issue) => issue.code === 'unrecognized_keys')
    throw new ReportRefused(
      unknown === undefined || !isObject(value) || !('report' in value)
        ? 'This is not an STI report. Use the JSON from sti validate --generate-report --format json.'
        : `The report was changed: no signature covers its member ${unknown.keys.join(', ')}. Use the file as it was downloaded.`,
    )
  }
  const { report: rawReport, hash, signature, unsigned } = envelope.data
  if (hashOrNull(rawReport) !== hash)
    throw new ReportRefused('The report was changed: its content does not match its hash.')
  if (signature !== null && unsigned !== null)
    throw new ReportRefused('The report was changed: it has a signature, and says why it has none.')
  if (signature === null) throw new ReportRefused(`The report is not signed. ${unsigned ?? ''}`.trim())
  const key = findTrustedKey(parseHeader(signature), keys)
  const claims = await verifyClaims(signature, key)
  if (claims.hash !== hash) throw new ReportRefused('The signature belongs to a different report: the hashes differ.')
  const report = EvidenceReport.safeParse(rawReport)
  if (!report.success)
    throw new ReportRefused(
      'The report comes from an incompatible version of the agent. Upgrade both agents to the same version.',
    )
  const unknown = findUnknownMember(rawReport, report.data)
  if (unknown !== null)
    throw new ReportRefused(
      `The report has a member that this version does not know: ${unknown}. Upgrade both agents to the same version.`,
    )
  const { environment, rollout, generatedAt } = report.data
  if (claims.environment !== environment || claims.rollout !== rollout || claims.generatedAt !== generatedAt)
    throw new ReportRefused('The environment, rollout, or time in the signature differs from the report.')
  if (key.environment !== null && key.environment !== environment)
    throw new ReportRefused(`Key ${key.kid} is trusted for ${key.environment}, but the report is from ${environment}.`)
  return { report: report.data, hash, key }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Null: the content has no canonical form, such as a text with a lone surrogate. */
function hashOrNull(report: unknown): string | null {
  try {
    return canonicalHash(report)
  } catch {
    return null
  }
}

function parseHeader(signature: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(signature)
  } catch {
    throw new ReportRefused('The signature cannot be parsed: it is truncated or damaged.')
  }
}

function findTrustedKey(header: ProtectedHeaderParameters, keys: readonly TrustedKey[]): TrustedKey {
  const { alg, kid, typ } = header
  if (alg !== JWS_ALGORITHM)
    throw new ReportRefused(`The signature uses alg ${String(alg)}; only ${JWS_ALGORITHM} is accepted.`)
  if (typ !== JWS_TYPE) throw new ReportRefused(`The signature has typ ${String(typ)}; only ${JWS_TYPE} is accepted.`)
  if (typeof kid !== 'string') throw new ReportRefused('The signature has no key ID (kid).')
  const unknown = Object.keys(header).find((name) => !['alg', 'kid', 'typ'].includes(name))
  if (unknown !== undefined)
    throw new ReportRefused(`The signature has a header parameter that this version does not know: ${unknown}.`)
  const key = keys.find((trusted) => trusted.kid === kid)
  if (key === undefined) throw new ReportRefused(`The report was signed with key ${kid}, which is not trusted.`)
  return key
}

async function verifyClaims(signature: string, key: TrustedKey): Promise<z.infer<typeof SignedClaims>> {
  try {
    const publicKey = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: key.x }, JWS_ALGORITHM)
    const { payload } = await compactVerify(signature, publicKey, { algorithms: [JWS_ALGORITHM] })
    return SignedClaims.parse(parseStrictJson(new TextDecoder().decode(payload)))
  } catch {
    throw new ReportRefused(
      `The signature does not match key ${key.kid}: the report was changed, or a different key was used.`,
    )
  }
}
