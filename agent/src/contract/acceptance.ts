import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { Instant } from './enums.ts'
import { Actor } from './operation.ts'

/**
 * What an admin accepted although a check cannot decide it, or because it is known to be lost: one subject of one check,
 * such as a function, a statement or a column.
 */
export const Acceptance = z
  .object({
    id: z.number().int(),
    check: z.string().describe('name of the check'),
    subject: z.string().describe('the accepted subject, as the check names it'),
    reason: z.string(),
    by: Actor,
    at: Instant,
    expiresAt: Instant,
    withdrawnAt: Instant.nullable(),
    withdrawnBy: nullable(Actor),
    withdrawnReason: z.string().nullable(),
    valid: z.boolean(),
    why: z.string().nullable().describe('why it is not valid'),
  })
  .openapi('Acceptance')
export type Acceptance = z.infer<typeof Acceptance>

/** What was accepted of one run of a check. */
export const AcceptedSubject = z.object({ subject: z.string(), reason: z.string(), by: z.string(), expiresAt: Instant })
export type AcceptedSubject = z.infer<typeof AcceptedSubject>

/** A subject that a check names and that an admin can accept. */
export const AcceptableSubject = z.object({
  check: z.string(),
  subject: z.string(),
})
export type AcceptableSubject = z.infer<typeof AcceptableSubject>

export const Acceptances = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    acceptances: z.array(Acceptance).describe('newest first; at most 500'),
    acceptable: z
      .array(AcceptableSubject)
      .describe('subjects of the newest run of the checks that an admin can accept'),
  })
  .openapi('Acceptances')
export type Acceptances = z.infer<typeof Acceptances>

export const AcceptanceRequest = z
  .object({
    environment: z.string().describe('the environment that the caller expects; any other environment answers 409'),
    check: z.string().min(1).max(200),
    subjects: z
      .array(z.string().min(1).max(2000))
      .min(1)
      .max(1000)
      .describe('each as the check names it, or a prefix that matches only one'),
    reason: z.string().min(1).max(2000).describe('why it is safe, or why it is withdrawn'),
    expiresAt: Instant.optional().describe('at most 366 days from now; default 90 days'),
    withdraw: z.boolean().default(false),
  })
  .strict()
  .openapi('AcceptanceRequest')
export type AcceptanceRequest = z.infer<typeof AcceptanceRequest>
