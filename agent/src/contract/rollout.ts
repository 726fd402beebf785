import { z } from '@hono/zod-openapi'
import { BaselineSummary } from './baseline.ts'
import { AutomaticRollback, Incident } from './incident.ts'
import { Monitoring } from './monitoring.ts'
import { Operation } from './operation.ts'
import { PromotionGate } from './promotion.ts'
import { BackupStatus, RehearsalStatus } from './rehearsal.ts'
import { Instant, RollbackScope, RolloutStage } from './enums.ts'
import { Action } from './actions.ts'
import { Validation } from './validation.ts'
import { FlagStatus } from './flag.ts'

export const AllowedAction = z
  .object({
    action: Action,
    allowed: z.boolean(),
    reasons: z.array(z.string()).describe('why not, each saying what would have to be true'),
    operationId: z.number().int().nullable().describe('for pause, resume, cancel, tune: the operation it acts on'),
  })
  .openapi('AllowedAction')
export type AllowedAction = z.infer<typeof AllowedAction>

export const ScopeReadiness = z
  .object({
    scope: RollbackScope,
    ready: z.boolean(),
    reasons: z.array(z.string()),
    estimatedSeconds: z.number().nullable().describe('null: nothing was measured here yet'),
    estimateBasis: z.string().nullable().describe('the measurement that the estimate rests on; null: none'),
    provedAt: Instant.nullable().describe(
      'when this scope was last taken back here, or rehearsed with this file and this structure of the table',
    ),
  })
  .openapi('ScopeReadiness')
export type ScopeReadiness = z.infer<typeof ScopeReadiness>

export const RolloutSummary = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    table: z.string(),
    stage: RolloutStage,
    coverage: z
      .number()
      .nullable()
      .describe('rows with a correct type / all rows, of the last validation; null: never counted'),
    flag: FlagStatus,
    running: Operation.nullable(),
    failedRows: z.number().int(),
    openIncidents: z.number().int().describe('those that nobody has closed, drills apart'),
    rollbackReady: z.array(ScopeReadiness),
    backup: BackupStatus,
    automaticRollback: AutomaticRollback,
    faults: z.array(z.string()).describe('why this rollout cannot be operated now'),
  })
  .openapi('RolloutSummary')
export type RolloutSummary = z.infer<typeof RolloutSummary>

export const RolloutDetail = RolloutSummary.extend({
  file: z.string().describe('the rollout file as it was read; for a viewer without phones and e-mail addresses'),
  fileHash: z.string(),
  promotionHash: z.string().describe('of what the file says that must be the same in every environment'),
  promotion: PromotionGate.nullable().describe('null: the file wants no promotion here'),
  monitoring: Monitoring,
  rehearsal: RehearsalStatus,
  incidents: z.array(Incident).describe('the last 50, open ones first, the newest first'),
  discriminator: z.object({ column: z.string(), dataType: z.string() }),
  types: z.array(z.string()),
  legacyColumns: z.array(z.string()),
  operations: z.array(Operation).describe('the last 20, newest first'),
  validation: Validation.nullable(),
  baseline: BaselineSummary.nullable().describe('the newest that can be used; when none can, the newest'),
  actions: z.array(AllowedAction),
  notes: z.array(z.string()),
}).openapi('RolloutDetail')
export type RolloutDetail = z.infer<typeof RolloutDetail>
