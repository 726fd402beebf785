import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { BaselineSummary } from './baseline.ts'
import { VariantComparison } from './comparison.ts'
import { AutomaticRollback, Incident } from './incident.ts'
import { Monitoring } from './monitoring.ts'
import { Operation } from './operation.ts'
import { PromotionGate } from './promotion.ts'
import { BackupStatus, RehearsalStatus } from './rehearsal.ts'
import { Instant, RollbackScope, RolloutStage } from './enums.ts'
import { Action } from './actions.ts'
import { Validation } from './validation.ts'
import { FlagStatus } from './flag.ts'
import { NextStep, RolloutStep, VitalSign } from './rolloutStep.ts'

export const AllowedAction = z
  .object({
    action: Action,
    allowed: z.boolean(),
    reasons: z.array(z.string()).describe('why not, one sentence per reason'),
    operationId: z.number().int().nullable().describe('operation that pause, resume, cancel, or tune applies to'),
  })
  .openapi('AllowedAction')
export type AllowedAction = z.infer<typeof AllowedAction>

export const ScopeReadiness = z
  .object({
    scope: RollbackScope,
    ready: z.boolean(),
    reasons: z.array(z.string()),
    estimatedSeconds: z.number().nullable().describe('null: not measured yet'),
    estimateBasis: z.string().nullable().describe('measurement that the estimate is based on; null: none'),
    verifiedAt: Instant.nullable().describe(
      'when this scope was last rolled back here, or rehearsed with the current file and table structure',
    ),
  })
  .openapi('ScopeReadiness')
export type ScopeReadiness = z.infer<typeof ScopeReadiness>

export const BackfilledRows = z
  .object({
    processed: z.number().int().describe('rows with the correct type: written, or already correct'),
    total: z.number().int(),
  })
  .openapi('BackfilledRows')
export type BackfilledRows = z.infer<typeof BackfilledRows>

export const RolloutSummary = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    at: Instant.describe('when the agent composed this answer'),
    table: z.string(),
    stage: RolloutStage,
    coverage: z
      .number()
      .nullable()
      .describe('share of rows with the correct type in the last validation; null: never counted'),
    steps: z.array(RolloutStep).describe('every step, in order'),
    next: nullable(NextStep).describe('what to do next; null: nothing is left to do'),
    flag: FlagStatus,
    running: nullable(Operation),
    rows: nullable(BackfilledRows).describe(
      'of the backfill that is not over, or of the last one that succeeded; null: no backfill yet',
    ),
    failedRows: z.number().int(),
    vitals: z
      .array(VitalSign)
      .describe('the readings that say if the application, the database, and the rows are well'),
    openIncidents: z.number().int().describe('incidents that are not closed, without drills and information'),
    rollbackReady: z.array(ScopeReadiness),
    backup: BackupStatus,
    automaticRollback: AutomaticRollback,
    faults: z.array(z.string()).describe('why nothing can be done with this rollout now'),
  })
  .openapi('RolloutSummary')
export type RolloutSummary = z.infer<typeof RolloutSummary>

export const RolloutDetail = RolloutSummary.extend({
  file: z.string().describe('rollout file; for viewers without phone numbers and email addresses'),
  fileHash: z.string(),
  derivationHash: z
    .string()
    .describe(
      'hash of the part of the file that operations and the trigger are bound to; the rest can change at any time',
    ),
  promotionHash: z.string().describe('hash of the parts of the file that must be the same in every environment'),
  promotion: nullable(PromotionGate).describe('null: the file does not require a promotion here'),
  monitoring: Monitoring,
  rehearsal: RehearsalStatus,
  comparison: nullable(VariantComparison)
    .optional()
    .describe('requests with the flag on against those with the flag off now; null: there is no control group'),
  incidents: z.array(Incident).describe('at most 50; open incidents first, then newest first'),
  discriminator: z.object({ column: z.string(), dataType: z.string() }),
  types: z.array(z.string()),
  legacyColumns: z.array(z.string()),
  operations: z.array(Operation).describe('last 20, newest first'),
  validation: nullable(Validation),
  baseline: nullable(BaselineSummary).describe('newest usable baseline; if none is usable, the newest'),
  actions: z.array(AllowedAction),
  notes: z.array(z.string()),
}).openapi('RolloutDetail')
export type RolloutDetail = z.infer<typeof RolloutDetail>
