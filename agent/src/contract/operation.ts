import { z } from '@hono/zod-openapi'
import { ArchiveRemovalParameters, ColumnDropParameters } from './columnDrop.ts'
import { Limits, LimitsPatch } from './limits.ts'
import {
  Instant,
  ValidationLayer,
  AccessLevel,
  OperationKind,
  OperationState,
  RollbackScope,
  Verdict,
} from './enums.ts'

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

export const BaselineParameters = z
  .object({
    durationSeconds: z
      .number()
      .int()
      .min(5)
      .max(31 * 86_400)
      .default(86_400),
    live: z.boolean().default(false).describe('sample from now on, instead of reading the history that Prometheus has'),
    release: z.string().min(1).max(100).optional().describe('of the application, such as v1.4.2'),
  })
  .openapi('BaselineParameters')
export type BaselineParameters = z.infer<typeof BaselineParameters>

export const BackfillParameters = z
  .object({
    batchSize: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('rows of one transaction; fixed upper bound when given'),
    checkpointInterval: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(100)
      .describe('every Nth commit is flushed to disk'),
    rollbackOnError: z.union([z.boolean(), z.literal('data')]).default(false),
    enableMonitoring: z
      .boolean()
      .default(false)
      .describe('switch enhanced monitoring on, and keep a reading of the progress in the events every 5 s'),
    maximumBatchSeconds: z
      .number()
      .min(0.001)
      .max(5)
      .optional()
      .describe('how long a batch may hold its locks; default 0.1, and 0.01 where it rests'),
    workers: z.number().int().min(1).max(32).default(1).describe('how many batches are written at the same time'),
    agents: z
      .number()
      .int()
      .min(1)
      .max(16)
      .default(1)
      .describe('how many agents of this database may write at the same time, each with so many workers'),
    niceRatio: z.number().min(0).max(100).default(0).describe('seconds to rest for each second of work'),
    limits: Limits.optional().describe('limits of the throttle, each instead of the one of the rollout file'),
    failedRowsOnly: z.boolean().optional().describe('only the rows that failed before'),
  })
  .openapi('BackfillParameters')
export type BackfillParameters = z.infer<typeof BackfillParameters>

export const ValidationParameters = z
  .object({
    full: z.boolean().default(true).describe('every check of every layer, unless layers or checks are named'),
    layers: z.array(ValidationLayer).min(1).optional().describe('only these layers'),
    checks: z.array(z.string().max(100)).min(1).max(100).optional().describe('only these checks, by name'),
    baseline: z
      .number()
      .int()
      .optional()
      .describe('id of the one that performance is compared with; default: the newest that can be used'),
  })
  .openapi('ValidationParameters')
export type ValidationParameters = z.infer<typeof ValidationParameters>

export const FlagParameters = z
  .object({
    enabled: z.boolean(),
    percentage: z.number().min(0).max(100).default(100).describe('of targeting keys, when enabled'),
    ramp: z
      .boolean()
      .default(false)
      .describe('an operation that goes up by flag.ramp of the rollout file, each step held for flag.hold and judged'),
    force: z.boolean().default(false).describe('admin only; needs a reason'),
  })
  .openapi('FlagParameters')
export type FlagParameters = z.infer<typeof FlagParameters>

export const RollbackParameters = z
  .object({
    scope: RollbackScope,
    full: z.boolean().default(false).describe('data: also revert what else expand and finalize did'),
    force: z
      .boolean()
      .optional()
      .describe('system: also take back what somebody else has changed since; admin only, needs a reason'),
    confirm: z.string().optional().describe("data and system: the rollout's name, typed"),
  })
  .openapi('RollbackParameters')
export type RollbackParameters = z.infer<typeof RollbackParameters>

export const MonitoringParameters = z
  .object({
    enabled: z.boolean().default(true).describe('false: the same as a rollback of scope monitoring'),
  })
  .openapi('MonitoringParameters')
export type MonitoringParameters = z.infer<typeof MonitoringParameters>

export const RehearsalParameters = z
  .object({
    sample: z
      .number()
      .int()
      .min(1)
      .max(10_000_000)
      .optional()
      .describe('rows that are copied aside; default: as the rollout file says'),
  })
  .openapi('RehearsalParameters')
export type RehearsalParameters = z.infer<typeof RehearsalParameters>

const request = <K extends OperationKind, P extends z.ZodType>(kind: K, parameters: P) =>
  z.object({
    kind: z.literal(kind),
    environment: z.string().describe('the environment the caller believes it acts on; another one answers 409'),
    parameters,
    reason: z.string().max(2000).optional(),
  })

export const OperationRequest = z
  .discriminatedUnion('kind', [
    request('expand', z.object({}).default({})),
    request('baseline', BaselineParameters.prefault({})),
    request('backfill', BackfillParameters.prefault({})),
    request('validation', ValidationParameters.prefault({})),
    request('finalize', z.object({}).default({})),
    request('flag', FlagParameters),
    request('rollback', RollbackParameters),
    request('monitoring', MonitoringParameters.prefault({})),
    request('rehearsal', RehearsalParameters.prefault({})),
    request('column-drop', ColumnDropParameters.prefault({})),
    request('archive-removal', ArchiveRemovalParameters.prefault({})),
  ])
  .openapi('OperationRequest')
export type OperationRequest = z.infer<typeof OperationRequest>

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

export const OperationPatch = z
  .object({
    batchSize: z.number().int().min(1).max(100_000).optional(),
    maximumBatchSeconds: z.number().min(0.001).max(5).optional(),
    workers: z.number().int().min(1).max(32).optional(),
    niceRatio: z.number().min(0).max(100).optional(),
    limits: LimitsPatch.optional().describe('each instead of the one that holds now; null takes one back'),
  })
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
