import { z } from '@hono/zod-openapi'
import { AccessLevel, Instant, OperationState, Verdict } from './enums.ts'
import { OperationKind } from './kinds.ts'
import { LimitsPatch } from './limits.ts'
import { BackfillTuning } from './parameters.ts'

export const Actor = z
  .object({
    name: z.string().describe('login in Grafana, name of a personal token, or what else acted'),
    level: AccessLevel,
    via: z.enum(['grafana', 'token', 'agent', 'webhook']),
  })
  .openapi('Actor')
export type Actor = z.infer<typeof Actor>

/** An agent that acts by itself. */
export const agentActor = (name: string): Actor => ({ name, level: 'admin', via: 'agent' })

/** Where a ramp stands: the flag is on for `percentage`. */
export const RampProgress = z
  .object({
    step: z.number().int().min(1),
    steps: z.array(z.number()).min(1).describe('percentages, of which this is the step-th'),
    percentage: z.number(),
    heldSeconds: z.number().describe('how long this step was watched; a pause does not count'),
    holdSeconds: z.number(),
    verdict: Verdict.nullable().describe('of the last judgement of this step; null: not judged yet'),
    why: z.array(z.string()).describe('what that judgement lacks'),
  })
  .openapi('RampProgress')
export type RampProgress = z.infer<typeof RampProgress>

/** Numbers of a walk over the table; rows are exact counts. */
export const OperationProgress = z
  .object({
    processedRows: z.number().int().describe('rows known right: written, or found right'),
    writtenRows: z.number().int(),
    failedRows: z.number().int(),
    totalRows: z.number().int(),
    ratio: z.number().min(0).max(1).describe('processed / total, rounded down; 1 only when equal'),
    rowsPerSecond: z.number().nullable(),
    remainingSeconds: z.number().nullable(),
    batchRows: z.number().int().nullable().describe('rows of the last batch'),
    batchSeconds: z.number().nullable(),
    throttled: z.string().nullable().describe('why it waits, or null'),
    retries: z.record(z.string(), z.number().int()).describe('by SQLSTATE'),
    unit: z
      .enum(['seconds', 'steps'])
      .optional()
      .describe('what is counted instead of rows: seconds of sampling or holding, steps of a rehearsal'),
    ramp: RampProgress.optional().describe('only of a ramp'),
  })
  .openapi('Progress')
export type OperationProgress = z.infer<typeof OperationProgress>

/** What an operation would do, in numbers; nothing was changed. */
export const OperationPreview = z
  .object({
    kind: OperationKind,
    environment: z.string(),
    rollout: z.string(),
    allowed: z.boolean(),
    reasons: z.array(z.string()).describe('what would refuse it now'),
    rows: z.number().int().nullable().describe('rows it would write'),
    estimatedSeconds: z.number().nullable(),
    estimateBasis: z.string().nullable().describe('the measurement that the time rests on; null: none'),
    estimatedWalBytes: z.number().nullable(),
    statements: z.array(z.string()),
    notes: z.array(z.string()).describe('what a person should know before saying yes'),
  })
  .openapi('Preview')
export type OperationPreview = z.infer<typeof OperationPreview>

export const Operation = z
  .object({
    id: z.number().int(),
    rollout: z.string(),
    kind: OperationKind,
    state: OperationState,
    parameters: z.record(z.string(), z.unknown()),
    fileHash: z.string(),
    actor: Actor,
    reason: z.string().nullable(),
    createdAt: Instant,
    startedAt: Instant.nullable(),
    endedAt: Instant.nullable(),
    step: z.string().nullable().describe('what it does now, in words'),
    progress: OperationProgress.nullable(),
    result: z.record(z.string(), z.unknown()).nullable(),
    errorCode: z.string().nullable(),
    error: z.string().nullable().describe('one sentence that says what to do'),
    agent: z.string().nullable().describe('the agent that holds it'),
    persisted: z.boolean().describe('false: the flag is off in memory, the database does not know yet'),
  })
  .openapi('Operation')
export type Operation = z.infer<typeof Operation>

export const OperationEvent = z
  .object({
    id: z.number().int(),
    operationId: z.number().int().nullable(),
    rollout: z.string(),
    at: Instant,
    actor: Actor,
    kind: z.string().describe('such as state, batch, throttled, failed-row, ddl, flag'),
    message: z.string(),
    reason: z.string().nullable(),
    before: z.unknown().nullable(),
    after: z.unknown().nullable(),
    hash: z.string().describe('SHA-256 over this event and the hash of the one before it'),
  })
  .openapi('OperationEvent')
export type OperationEvent = z.infer<typeof OperationEvent>

export const OperationPatch = BackfillTuning.extend({
  limits: LimitsPatch.optional().describe('overrides of the current throttle limits; null removes an override'),
})
  .partial()
  .strict()
  .openapi('OperationPatch')
export type OperationPatch = z.infer<typeof OperationPatch>

export const FailedRow = z
  .object({
    key: z.array(z.string()).describe('the primary key, each column as text'),
    sqlstate: z.string().describe("a SQLSTATE, or 'unmapped' for a row that no type matches"),
    message: z.string(),
    attempts: z.number().int(),
    firstFailedAt: Instant,
    lastFailedAt: Instant,
    accepted: z.string().nullable().describe('who accepted it, and why'),
  })
  .openapi('FailedRow')
export type FailedRow = z.infer<typeof FailedRow>
