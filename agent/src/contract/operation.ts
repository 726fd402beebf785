import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { VariantComparison } from './comparison.ts'
import { AccessLevel, Instant, OperationState, Verdict } from './enums.ts'
import { OperationKind } from './kinds.ts'
import { LimitsPatch } from './limits.ts'
import { BackfillTuning } from './parameters.ts'
import { ProblemCode } from './problem.ts'

export const Actor = z
  .object({
    name: z.string().describe('Grafana login, name of a personal token, or name of an agent'),
    level: AccessLevel,
    via: z.enum(['grafana', 'token', 'agent', 'webhook']),
  })
  .openapi('Actor')
export type Actor = z.infer<typeof Actor>

/** The agent itself as the actor of an automatic action. */
export const agentActor = (name: string): Actor => ({ name, level: 'admin', via: 'agent' })

/** Progress of a ramp: the flag is on for `percentage`. */
export const RampProgress = z
  .object({
    step: z.number().int().min(1),
    steps: z.array(z.number()).min(1).describe('percentages of all steps; `step` counts from 1'),
    percentage: z.number(),
    heldSeconds: z.number().describe('seconds that this step was observed, without pauses'),
    holdSeconds: z.number(),
    verdict: Verdict.nullable().describe('verdict of the last judgment of this step; null: not judged yet'),
    why: z.array(z.string()).describe('reasons why the step did not pass'),
    comparison: nullable(VariantComparison)
      .optional()
      .describe('requests with the flag on against those with the flag off in this step; null: no control group'),
  })
  .openapi('RampProgress')
export type RampProgress = z.infer<typeof RampProgress>

/** Rows that other transactions have locked. */
export const HeldRowsProgress = z
  .object({
    rows: z.number().int().describe('0: the lock is not on rows, but on the table, or in a trigger of the application'),
    keys: z.array(z.array(z.string())).describe('primary keys of at most three of them, each column as text'),
    holders: z
      .string()
      .describe(
        'who holds them: each session with pid, user, application, age, and statement; each prepared transaction by name',
      ),
    holderNames: z.array(z.string()).describe('the same, without what changes: such as “pid 123”'),
    waiting: z.boolean().describe('true: everything else is written'),
  })
  .openapi('HeldRowsProgress')
export type HeldRowsProgress = z.infer<typeof HeldRowsProgress>

/** Progress of an operation; rows are exact counts. */
export const OperationProgress = z
  .object({
    processedRows: z.number().int().describe('rows with the correct type: written, or already correct'),
    writtenRows: z.number().int(),
    failedRows: z.number().int(),
    totalRows: z.number().int(),
    ratio: z.number().min(0).max(1).describe('processed / total, rounded down; 1 only when equal'),
    rowsPerSecond: z.number().nullable(),
    remainingSeconds: z.number().nullable(),
    batchRows: z.number().int().nullable().describe('rows in the last batch'),
    batchSeconds: z.number().nullable(),
    throttled: z.string().nullable().describe('why the operation waits, or null'),
    held: nullable(HeldRowsProgress)
      .optional()
      .describe('rows that other transactions have locked; the other rows are written in the meantime'),
    retries: z.record(z.string(), z.number().int()).describe('retries by SQLSTATE'),
    unit: z
      .enum(['seconds', 'steps'])
      .optional()
      .describe('unit of the counts if not rows: seconds of sampling or holding, steps of a rehearsal'),
    ramp: RampProgress.optional().describe('ramps only'),
  })
  .openapi('Progress')
export type OperationProgress = z.infer<typeof OperationProgress>

/** What an operation would do, in numbers. A preview changes nothing. */
export const OperationPreview = z
  .object({
    kind: OperationKind,
    environment: z.string(),
    rollout: z.string(),
    allowed: z.boolean(),
    reasons: z.array(z.string()).describe('why it is refused now'),
    code: ProblemCode.nullable().describe('error code that the request would get now; null: it is allowed'),
    rows: z.number().int().nullable().describe('rows that it would write'),
    estimatedSeconds: z.number().nullable(),
    estimateBasis: z.string().nullable().describe('measurement that the estimate is based on; null: none'),
    estimatedWalBytes: z.number().nullable(),
    statements: z.array(z.string()),
    notes: z.array(z.string()).describe('what to consider before confirming'),
    warnings: z
      .array(z.string())
      .describe('what would go wrong or be left out, such as a missing right with the statement that grants it'),
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
    derivationHash: z.string().describe('hash of the part of the rollout file that this operation is bound to'),
    actor: Actor,
    reason: z.string().nullable(),
    createdAt: Instant,
    startedAt: Instant.nullable(),
    endedAt: Instant.nullable(),
    workedSeconds: z.number().describe('seconds of work, without pauses and waits'),
    step: z.string().nullable().describe('current step'),
    progress: nullable(OperationProgress),
    result: z.record(z.string(), z.unknown()).nullable(),
    errorCode: z.string().nullable(),
    error: z.string().nullable().describe('what failed, why, and what to do'),
    agent: z.string().nullable().describe('agent that runs it'),
    persisted: z.boolean().describe('false: the flag is off in memory, and not yet recorded in the database'),
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
    kind: z.string().describe('kind of event, such as state, batch, throttled, failed-row, ddl, or flag'),
    message: z.string(),
    reason: z.string().nullable(),
    before: z.unknown().nullable(),
    after: z.unknown().nullable(),
    hash: z.string().describe('SHA-256 of this event and the hash of the previous event'),
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
    key: z.array(z.string()).describe('primary key, each column as text'),
    sqlstate: z.string().describe("SQLSTATE, or 'unmapped' if no type matches the row"),
    message: z.string(),
    attempts: z.number().int(),
    firstFailedAt: Instant,
    lastFailedAt: Instant,
    accepted: z.string().nullable().describe('who accepted the row, and why'),
  })
  .openapi('FailedRow')
export type FailedRow = z.infer<typeof FailedRow>
