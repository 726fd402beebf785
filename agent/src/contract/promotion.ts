import { z } from '@hono/zod-openapi'
import { Instant, AccessLevel, Verdict } from './enums.ts'

/** An Ed25519 public key as a JWK (RFC 8037), with the environment whose reports it signs. */
export const PublicKey = z
  .object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string(),
    kid: z.string().describe('its thumbprint, RFC 7638'),
    environment: z.string(),
  })
  .openapi('PublicKey')
export type PublicKey = z.infer<typeof PublicKey>

export const Promotion = z
  .object({
    id: z.number().int(),
    forced: z.boolean().describe('an admin answers for it with a reason; there was no report'),
    from: z.string().nullable().describe('the environment of the report'),
    promotionHash: z.string(),
    kid: z.string().nullable(),
    verdict: Verdict.nullable(),
    validatedAt: Instant.nullable(),
    generatedAt: Instant.nullable(),
    by: z.object({ name: z.string(), level: AccessLevel }),
    at: Instant,
    reason: z.string().nullable(),
    counts: z.boolean().describe('for the file as it is now'),
    why: z.string().nullable().describe('why it does not count'),
  })
  .openapi('Promotion')
export type Promotion = z.infer<typeof Promotion>

/** What the rollout file wants of another environment first. */
export const PromotionGate = z
  .object({
    from: z.string(),
    maximumAgeSeconds: z.number(),
    backfillToo: z.boolean(),
    promoted: z.boolean(),
    reasons: z.array(z.string()).describe('what would have to be true'),
    promotion: Promotion.nullable().describe('the one that counts, or else the last one'),
  })
  .openapi('PromotionGate')
export type PromotionGate = z.infer<typeof PromotionGate>
