import { CompactSign } from 'jose'
import type { EvidenceReport, SignedReport } from '../contract/index.ts'
import { canonicalHash } from './canonicalJson.ts'
import type { SigningKey } from './keys.ts'

export const JWS_TYPE = 'sti-report+jws'
export const JWS_ALGORITHM = 'EdDSA'

/** The signed claims; the hash covers the whole report. */
export interface ReportClaims {
  readonly hash: string
  readonly environment: string
  readonly rollout: string
  readonly generatedAt: string
}

/**
 * Signs a report. Without a key, the result says that and why it is unsigned. `foreignState` is why the state in the
 * database belongs to another one: a report of it proves nothing here, and is never signed.
 */
export async function signReport(
  content: EvidenceReport,
  key: SigningKey | null,
  foreignState: string | null,
): Promise<SignedReport> {
  // Signs what a reader parses, since JSON omits undefined properties.
  const report = JSON.parse(JSON.stringify(content)) as EvidenceReport
  const hash = canonicalHash(report)
  if (foreignState !== null) return { report, hash, signature: null, unsigned: foreignState }
  if (key === null) {
    const unsigned = 'The agent has no signing key. Set STI_SIGNING_KEY_FILE to make reports verifiable.'
    return { report, hash, signature: null, unsigned }
  }
  const { environment, rollout, generatedAt } = report
  const claims: ReportClaims = { hash, environment, rollout, generatedAt }
  const signature = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: JWS_ALGORITHM, typ: JWS_TYPE, kid: key.publicKey.kid })
    .sign(key.privateKey)
  return { report, hash, signature, unsigned: null }
}
