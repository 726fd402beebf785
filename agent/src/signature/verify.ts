import { compactVerify, decodeProtectedHeader, importJWK, type ProtectedHeaderParameters } from 'jose'
import { z } from 'zod'
import { Report } from '../contract/index.ts'
import { canonicalHash } from './canonical.ts'
import type { TrustedKey } from './keys.ts'
import { ALGORITHM, TYPE } from './sign.ts'

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
  readonly report: Report
  readonly hash: string
  readonly key: TrustedKey
}

const Outer = z.object({
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
  const outer = Outer.safeParse(value)
  if (!outer.success)
    throw new ReportRefused(
      'This is no report of ours: hand in the JSON of sti validate --generate-report --format json.',
    )
  const { report: raw, hash, signature, unsigned } = outer.data
  if (canonicalHash(raw) !== hash)
    throw new ReportRefused('The report was changed: its content does not have its hash.')
  if (signature === null) throw new ReportRefused(`The report is not signed. ${unsigned ?? ''}`.trim())
  const key = trusted(headerOf(signature), keys)
  const claims = await claimsOf(signature, key)
  if (claims.hash !== hash) throw new ReportRefused('The signature is of another report: the hashes differ.')
  const report = Report.safeParse(raw)
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

function headerOf(signature: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(signature)
  } catch {
    throw new ReportRefused('The signature cannot be read: it is cut off or damaged.')
  }
}

function trusted({ alg, kid, typ }: ProtectedHeaderParameters, keys: readonly TrustedKey[]): TrustedKey {
  if (alg !== ALGORITHM)
    throw new ReportRefused(`The signature says alg ${String(alg)}; only ${ALGORITHM} is accepted.`)
  if (typ !== TYPE) throw new ReportRefused(`The signature says typ ${String(typ)}; it must be ${TYPE}.`)
  if (typeof kid !== 'string') throw new ReportRefused('The signature names no key (kid).')
  const key = keys.find((one) => one.kid === kid)
  if (key === undefined) throw new ReportRefused(`It was signed with key ${kid}, which is not among the trusted ones.`)
  return key
}

async function claimsOf(signature: string, key: TrustedKey): Promise<z.infer<typeof SignedClaims>> {
  try {
    const publicKey = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: key.x }, ALGORITHM)
    const { payload } = await compactVerify(signature, publicKey, { algorithms: [ALGORITHM] })
    return SignedClaims.parse(JSON.parse(new TextDecoder().decode(payload)))
  } catch {
    throw new ReportRefused(
      `The signature is not one of key ${key.kid}: the report was changed, or the key is another.`,
    )
  }
}
