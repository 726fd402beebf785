import { CompactSign } from 'jose'
import type { EvidenceReport, SignedReport } from '../contract/index.ts'
import { canonicalHash } from './canonicalJson.ts'
import type { SigningKey } from './keys.ts'

export const JWS_TYPE = 'sti-report+jws'
export const JWS_ALGORITHM = 'EdDSA'

/** What the signature says; the hash stands for the whole report. */
export interface ReportClaims {
  readonly hash: string
  readonly environment: string
  readonly rollout: string
  readonly generatedAt: string
}

/** Signs a report; without a key it says that it is unsigned. */
export async function signReport(content: EvidenceReport, key: SigningKey | null): Promise<SignedReport> {
  // As it will be read: what JSON leaves out is not signed.
  const report = JSON.parse(JSON.stringify(content)) as EvidenceReport
  const hash = canonicalHash(report)
  if (key === null) {
    const unsigned = 'The agent has no signing key: set STI_SIGNING_KEY_FILE, and nobody has to take this on trust.'
    return { report, hash, signature: null, unsigned }
  }
  const { environment, rollout, generatedAt } = report
  const claims: ReportClaims = { hash, environment, rollout, generatedAt }
  const signature = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: JWS_ALGORITHM, typ: JWS_TYPE, kid: key.publicKey.kid })
    .sign(key.privateKey)
  return { report, hash, signature, unsigned: null }
}
