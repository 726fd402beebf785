import { z } from '@hono/zod-openapi'
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

/** Rows that were right while a backfill ran. */
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
  left: z.string().nullable().describe('why it was left as somebody else had made it'),
})

/** All that is claimed of a rollout, at one moment. */
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
    verified: z.boolean().describe('the validation passed, and no row was written in bulk since'),
    file: z.object({
      text: z.string().describe('without phones and e-mail addresses'),
      hash: z.string().describe('SHA-256 of the file as it was read'),
      promotionHash: z.string(),
    }),
    validation: Validation.nullable().describe('the last one that ended'),
    validations: z.array(PastValidation).describe('the oldest first, at most the last 500'),
    progress: z.array(ProgressPoint),
    baseline: BaselineComparison.nullable().describe('the newest one, and what is now beside it; null: there is none'),
    operations: z.array(Operation).describe('the oldest first'),
    events: z.object({
      head: z.string().describe('hash of the last event of the whole chain'),
      total: z.number().int(),
      entries: z.array(OperationEvent).describe('of this rollout, the oldest first; the last 2,000'),
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
    incidents: z.array(Incident).optional().describe('the oldest first, at most the last 500'),
    readiness: Readiness,
  })
  .openapi('Report')
export type EvidenceReport = z.infer<typeof EvidenceReport>

/** A report as it is handed on. `hash` is over its canonical JSON (RFC 8785), so that formatting does not matter. */
export const SignedReport = z
  .object({
    report: EvidenceReport,
    hash: z.string().describe('SHA-256'),
    signature: z
      .string()
      .nullable()
      .describe('a JWS (Ed25519) over hash, environment, rollout and time; null: unsigned'),
    unsigned: z.string().nullable().describe('why there is no signature'),
  })
  .openapi('SignedReport')
export type SignedReport = z.infer<typeof SignedReport>

export const PromotionRequest = z
  .object({
    environment: z.string(),
    report: z.unknown().optional().describe('a signed report of the other environment, as it was downloaded'),
    force: z.boolean().default(false).describe('an admin answers for it instead of a report; needs a reason'),
    reason: z.string().min(1).max(2000).optional(),
  })
  .strict()
  .openapi('PromotionRequest')
export type PromotionRequest = z.infer<typeof PromotionRequest>
