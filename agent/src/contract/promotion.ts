import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { Instant, AccessLevel, Verdict } from './enums.ts'

/** An Ed25519 public key as a JWK (RFC 8037), with the environment whose reports it signs. */
export const PublicKey = z
  .object({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string(),
    kid: z.string().describe('thumbprint of the key, RFC 7638'),
    environment: z.string(),
  })
  .openapi('PublicKey')
export type PublicKey = z.infer<typeof PublicKey>

export const Promotion = z
  .object({
    id: z.number().int(),
    forced: z.boolean().describe('forced by an admin with a reason, without a report'),
    from: z.string().nullable().describe('environment of the report'),
    promotionHash: z.string(),
    kid: z.string().nullable(),
    verdict: Verdict.nullable(),
    validatedAt: Instant.nullable(),
    generatedAt: Instant.nullable(),
    by: z.object({ name: z.string(), level: AccessLevel }),
    at: Instant,
    reason: z.string().nullable(),
    counts: z.boolean().describe('valid for the current rollout file'),
    why: z.string().nullable().describe('why it is not valid'),
  })
  .openapi('Promotion')
export type Promotion = z.infer<typeof Promotion>

/** The promotion that the rollout file requires from another environment. */
export const PromotionGate = z
  .object({
    from: z.string(),
    maximumAgeSeconds: z.number(),
    backfillToo: z.boolean(),
    promoted: z.boolean(),
    reasons: z.array(z.string()).describe('what is missing'),
    promotion: nullable(Promotion).describe('the valid promotion, or else the last one'),
  })
  .openapi('PromotionGate')
export type PromotionGate = z.infer<typeof PromotionGate>
