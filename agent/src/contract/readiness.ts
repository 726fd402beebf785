import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { Actor } from './operation.ts'
import { Instant } from './enums.ts'

/** The plan's three lists of its definition of done, its success metrics, and two views across them. */
export const ReadinessList = z.enum(['staging', 'production', 'monitoring', 'success', 'team', 'documentation'])
export type ReadinessList = z.infer<typeof ReadinessList>

export const ReadinessState = z.enum(['ready', 'not-ready', 'unknown'])
export type ReadinessState = z.infer<typeof ReadinessState>

export const Attestation = z
  .object({
    id: z.number().int(),
    item: z.string(),
    note: z.string(),
    by: Actor,
    at: Instant,
    expiresAt: Instant,
    withdrawnAt: Instant.nullable(),
    withdrawnBy: nullable(Actor),
    withdrawnNote: z.string().nullable(),
    counts: z.boolean(),
    why: z.string().nullable().describe('why it is not valid'),
  })
  .openapi('Attestation')
export type Attestation = z.infer<typeof Attestation>

export const ReadinessItem = z
  .object({
    item: z.string(),
    line: z.string().describe('wording in the plan'),
    lists: z.array(ReadinessList).describe('lists that include the item'),
    by: z.enum(['measured', 'attested']),
    state: ReadinessState,
    sentence: z.string(),
    since: Instant.nullable().describe('time of the observation behind the state; null: none yet'),
    next: z.string().nullable().describe('what to do in Grafana to make it ready; null: it is ready'),
    command: z.string().nullable().describe('the command that does the same; null: none, or it is ready'),
    attestation: nullable(Attestation).describe('last sign-off'),
  })
  .openapi('ReadinessItem')
export type ReadinessItem = z.infer<typeof ReadinessItem>

export const ContactReadiness = z
  .object({
    item: z.string().describe('item to sign off: contact:<role>'),
    role: z.string(),
    name: z.string(),
    phone: z.string().nullable().describe('visible to editors'),
    email: z.string().nullable().describe('visible to editors'),
    escalateAfterSeconds: z.number(),
    confirmed: z.boolean(),
    attestation: nullable(Attestation),
  })
  .openapi('ContactReadiness')
export type ContactReadiness = z.infer<typeof ContactReadiness>

export const Readiness = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    at: Instant,
    ratios: z.record(ReadinessList, z.number().min(0).max(1)).describe('ready items / items, rounded down'),
    items: z.array(ReadinessItem),
    notes: z.array(z.string()).describe('notes of the rollout, such as agents that use different versions of the file'),
    contacts: z.array(ContactReadiness).describe('in escalation order'),
  })
  .openapi('Readiness')
export type Readiness = z.infer<typeof Readiness>

export const AttestationRequest = z
  .object({
    item: z.string().min(1).max(200),
    note: z.string().min(1).max(2000).describe('what was done and observed, or why it is withdrawn'),
    expiresAt: Instant.optional().describe('at most 366 days from now; default 90 days'),
    withdraw: z.boolean().default(false),
  })
  .strict()
  .openapi('AttestationRequest')
export type AttestationRequest = z.infer<typeof AttestationRequest>
