import { compactVerify, decodeProtectedHeader, importJWK, type ProtectedHeaderParameters } from 'jose'
import { z } from 'zod'
import { EvidenceReport } from '../contract/index.ts'
import { canonicalHash } from './canonicalJson.ts'
import type { TrustedKey } from './keys.ts'
import { JWS_ALGORITHM, JWS_TYPE } from './sign.ts'

/** A report that proves nothing; the message is one sentence that says why. */
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

const ReportEnvelope = z.object({
  report: z.record(z.string(), z.unknown()),
  hash: z.string(),
  signature: z.string().nullable(),
  unsigned: z.string().nullable(),
})
const SignedClaims = z.object({
  hash: z.string(),
  environment: z.string(),
  rollout: z.string(),
  generatedAt: z.string(),
})

/**
 * Verifies a signed report: its content against its hash, and the hash by the signature of one of the keys. Demands
 * `kid` and Ed25519: without a kid any single key would do, and `alg` is the signer's word only.
 * @throws ReportRefused
 */
export async function verifyReport(value: unknown, keys: readonly TrustedKey[]): Promise<VerifiedReport> {
  const envelope = ReportEnvelope.safeParse(value)
  if (!envelope.success)
    throw new ReportRefused(
      'This is no report of ours: hand in the JSON of sti validate --generate-report --format json.',
    )
  const { report: rawReport, hash, signature, unsigned } = envelope.data
  if (canonicalHash(rawReport) !== hash)
    throw new ReportRefused('The report was changed: its content does not have its hash.')
  if (signature === null) throw new ReportRefused(`The report is not signed. ${unsigned ?? ''}`.trim())
  const key = findTrustedKey(parseHeader(signature), keys)
  const claims = await verifyClaims(signature, key)
  if (claims.hash !== hash) throw new ReportRefused('The signature is of another report: the hashes differ.')
  const report = EvidenceReport.safeParse(rawReport)
  if (!report.success)
    throw new ReportRefused(
      'The report is of another version of the agent and cannot be read: bring both to one version.',
    )
  const { environment, rollout, generatedAt } = report.data
  if (claims.environment !== environment || claims.rollout !== rollout || claims.generatedAt !== generatedAt)
    throw new ReportRefused('What the signature says of environment, rollout or time is not what the report says.')
  if (key.environment !== null && key.environment !== environment)
    throw new ReportRefused(`Key ${key.kid} is trusted for ${key.environment}, and the report is of ${environment}.`)
  return { report: report.data, hash, key }
}

function parseHeader(signature: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(signature)
  } catch {
    throw new ReportRefused('The signature cannot be read: it is cut off or damaged.')
  }
}

function findTrustedKey({ alg, kid, typ }: ProtectedHeaderParameters, keys: readonly TrustedKey[]): TrustedKey {
  if (alg !== JWS_ALGORITHM)
    throw new ReportRefused(`The signature says alg ${String(alg)}; only ${JWS_ALGORITHM} is accepted.`)
  if (typ !== JWS_TYPE) throw new ReportRefused(`The signature says typ ${String(typ)}; it must be ${JWS_TYPE}.`)
  if (typeof kid !== 'string') throw new ReportRefused('The signature names no key (kid).')
  const key = keys.find((one) => one.kid === kid)
  if (key === undefined) throw new ReportRefused(`It was signed with key ${kid}, which is not among the trusted ones.`)
  return key
}

async function verifyClaims(signature: string, key: TrustedKey): Promise<z.infer<typeof SignedClaims>> {
  try {
    const publicKey = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: key.x }, JWS_ALGORITHM)
    const { payload } = await compactVerify(signature, publicKey, { algorithms: [JWS_ALGORITHM] })
    return SignedClaims.parse(JSON.parse(new TextDecoder().decode(payload)))
  } catch {
    throw new ReportRefused(
      `The signature is not one of key ${key.kid}: the report was changed, or the key is another.`,
    )
  }
}
