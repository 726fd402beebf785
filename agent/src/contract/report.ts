import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { Acceptance } from './acceptance.ts'
import { BaselineComparison } from './baseline.ts'
import { FailedRow, Operation, OperationEvent } from './operation.ts'
import { Incident } from './incident.ts'
import { Promotion } from './promotion.ts'
import { Attestation, Readiness } from './readiness.ts'
import { Validation } from './validation.ts'
import { Instant, RolloutStage, Verdict } from './enums.ts'

export const ReportFormat = z.enum(['json', 'md', 'html'])
export type ReportFormat = z.infer<typeof ReportFormat>

/** A past validation, for the curve of coverage over time. */
const PastValidation = z.object({
  id: z.number().int(),
  startedAt: Instant,
  endedAt: Instant,
  verdict: Verdict,
  coverage: z.number().nullable(),
  integrityScore: z.number().nullable(),
  fileHash: z.string(),
})

/** Progress of a backfill over time. */
const ProgressPoint = z.object({
  at: Instant,
  operationId: z.number().int(),
  processedRows: z.number().int(),
  totalRows: z.number().int(),
})

const ReportedChange = z.object({
  kind: z.string(),
  object: z.string(),
  statement: z.string(),
  inverse: z.string(),
  operationId: z.number().int(),
  at: Instant,
  revertedAt: Instant.nullable(),
  left: z.string().nullable().describe('why it was kept although another change had replaced it'),
})

/** The evidence for a rollout at one moment. */
export const EvidenceReport = z
  .object({
    format: z.literal('sti-report/1'),
    generatedAt: Instant,
    generatedBy: z.string(),
    environment: z.string(),
    production: z.boolean(),
    agent: z.object({ name: z.string(), version: z.string(), contract: z.string() }),
    rollout: z.string(),
    table: z.string(),
    stage: RolloutStage,
    coverage: z.number().nullable(),
    verified: z.boolean().describe('the validation passed, and no bulk write has happened since'),
    file: z.object({
      text: z.string().describe('without phone numbers and email addresses'),
      hash: z.string().describe('SHA-256 of the file'),
      promotionHash: z.string(),
    }),
    validation: nullable(Validation).describe('last validation that ended'),
    validations: z.array(PastValidation).describe('oldest first; at most the last 500'),
    progress: z.array(ProgressPoint),
    baseline: nullable(BaselineComparison).describe(
      'newest baseline compared with the current values; null: there is none',
    ),
    operations: z.array(Operation).describe('oldest first'),
    events: z.object({
      head: z.string().describe('hash of the last event in the chain'),
      total: z.number().int(),
      entries: z.array(OperationEvent).describe('events of this rollout, oldest first; at most the last 2,000'),
    }),
    changes: z.array(ReportedChange),
    failedRows: z.object({
      open: z.number().int(),
      accepted: z.number().int(),
      recovered: z.number().int(),
      rows: z.array(FailedRow).describe('at most 100'),
    }),
    rollbacks: z.array(Operation),
    promotions: z.array(Promotion),
    attestations: z.array(Attestation),
    acceptances: z.array(Acceptance).describe('what admins accepted of checks that cannot decide, newest first'),
    incidents: z.array(Incident).optional().describe('oldest first; at most the last 500'),
    readiness: Readiness,
  })
  .openapi('Report')
export type EvidenceReport = z.infer<typeof EvidenceReport>

/** A report to pass on. `hash` covers its canonical JSON (RFC 8785), so that formatting does not matter. */
export const SignedReport = z
  .object({
    report: EvidenceReport,
    hash: z.string().describe('SHA-256'),
    signature: z
      .string()
      .nullable()
      .describe('a JWS (Ed25519) over hash, environment, rollout and time; null: unsigned'),
    unsigned: z.string().nullable().describe('why the report is not signed'),
  })
  .openapi('SignedReport')
export type SignedReport = z.infer<typeof SignedReport>

export const PromotionRequest = z
  .object({
    environment: z.string(),
    report: z.unknown().optional().describe('signed report of the other environment, as downloaded'),
    force: z.boolean().default(false).describe('promote without a report; admin only, requires a reason'),
    reason: z.string().min(1).max(2000).optional(),
  })
  .strict()
  .openapi('PromotionRequest')
export type PromotionRequest = z.infer<typeof PromotionRequest>
