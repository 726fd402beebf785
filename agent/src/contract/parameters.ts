import { z } from '@hono/zod-openapi'
import { RollbackScope, ValidationLayer } from './enums.ts'
import { Limits } from './limits.ts'

/** The range of a numeric parameter, and the value the agent uses without one. */
export interface ParameterBounds {
  readonly minimum: number
  readonly maximum: number
  readonly integer: boolean
  readonly default?: number
}

/** Bounds of the numeric parameters of a backfill. Schema, CLI, and UI derive theirs from this table. */
export const BACKFILL_BOUNDS = {
  /** Rows per transaction. Without one, the agent starts at 1,000 and adjusts the size to the measured durations. */
  batchSize: { minimum: 1, maximum: 100_000, integer: true },
  checkpointInterval: { minimum: 1, maximum: 100_000, integer: true, default: 100 },
  /** Its default is one of DEFAULT_MAXIMUM_BATCH_SECONDS. */
  maximumBatchSeconds: { minimum: 0.001, maximum: 5, integer: false },
  workers: { minimum: 1, maximum: 32, integer: true, default: 1 },
  agents: { minimum: 1, maximum: 16, integer: true, default: 1 },
  niceRatio: { minimum: 0, maximum: 100, integer: false, default: 0 },
} as const satisfies Record<string, ParameterBounds>

/** Shorter where the backfill rests, so that its locks are as short as its share of the load. */
export const DEFAULT_MAXIMUM_BATCH_SECONDS = { withoutRest: 0.1, withRest: 0.01 } as const

function boundedNumber({ minimum, maximum, integer }: ParameterBounds) {
  const number = z.number().min(minimum).max(maximum)
  return integer ? number.int() : number
}

/** The parameters that can change while the backfill runs. */
export const BackfillTuning = z.object({
  batchSize: boundedNumber(BACKFILL_BOUNDS.batchSize).describe('rows per transaction; a fixed upper bound if set'),
  maximumBatchSeconds: boundedNumber(BACKFILL_BOUNDS.maximumBatchSeconds).describe(
    `how long a batch may hold its locks; default ${DEFAULT_MAXIMUM_BATCH_SECONDS.withoutRest}, or ${DEFAULT_MAXIMUM_BATCH_SECONDS.withRest} with niceRatio`,
  ),
  workers: boundedNumber(BACKFILL_BOUNDS.workers).describe('batches that are written at the same time'),
  niceRatio: boundedNumber(BACKFILL_BOUNDS.niceRatio).describe('seconds of rest per second of work'),
})

export const BackfillParameters = z
  .object({
    batchSize: BackfillTuning.shape.batchSize.optional(),
    checkpointInterval: boundedNumber(BACKFILL_BOUNDS.checkpointInterval)
      .default(BACKFILL_BOUNDS.checkpointInterval.default)
      .describe('commits per checkpoint: every Nth commit is flushed to disk'),
    rollbackOnError: z
      .union([z.boolean(), z.literal('data')])
      .default(false)
      .describe('on a critical error, turn the flag off; data: also roll back the data'),
    enableMonitoring: z
      .boolean()
      .default(false)
      .describe('enable enhanced monitoring, and record the progress as an event every 5 s'),
    maximumBatchSeconds: BackfillTuning.shape.maximumBatchSeconds.optional(),
    workers: BackfillTuning.shape.workers.default(BACKFILL_BOUNDS.workers.default),
    agents: boundedNumber(BACKFILL_BOUNDS.agents)
      .default(BACKFILL_BOUNDS.agents.default)
      .describe('agents that may write at the same time, each with this many workers'),
    niceRatio: BackfillTuning.shape.niceRatio.default(BACKFILL_BOUNDS.niceRatio.default),
    limits: Limits.optional().describe('overrides of the throttle limits in the rollout file'),
    failedRowsOnly: z.boolean().optional().describe('write only the rows that failed before'),
  })
  .openapi('BackfillParameters')
export type BackfillParameters = z.infer<typeof BackfillParameters>

/** Seconds that a baseline covers. */
export const BASELINE_DURATION_BOUNDS = {
  minimum: 5,
  maximum: 31 * 86_400,
  integer: true,
  default: 86_400,
} as const satisfies ParameterBounds

export const BaselineParameters = z
  .object({
    durationSeconds: boundedNumber(BASELINE_DURATION_BOUNDS).default(BASELINE_DURATION_BOUNDS.default),
    live: z.boolean().default(false).describe('sample from now on instead of reading the history that Prometheus has'),
    release: z.string().min(1).max(100).optional().describe('release of the application, such as v1.4.2'),
  })
  .openapi('BaselineParameters')
export type BaselineParameters = z.infer<typeof BaselineParameters>

export const ValidationParameters = z
  .object({
    full: z.boolean().default(true).describe('every check of every layer, unless layers or checks are set'),
    layers: z.array(ValidationLayer).min(1).optional().describe('only these layers'),
    checks: z.array(z.string().max(100)).min(1).max(100).optional().describe('only these checks, by name'),
    baseline: z
      .number()
      .int()
      .optional()
      .describe('id of the baseline that performance is compared with; default: the newest usable baseline'),
  })
  .openapi('ValidationParameters')
export type ValidationParameters = z.infer<typeof ValidationParameters>

export const FlagParameters = z
  .object({
    enabled: z.boolean(),
    percentage: z.number().min(0).max(100).default(100).describe('percentage of targeting keys, if enabled'),
    ramp: z
      .boolean()
      .default(false)
      .describe('raise the flag by the steps in flag.ramp of the rollout file; hold and judge each step for flag.hold'),
    force: z.boolean().default(false).describe('skip the prerequisites; admin only, requires a reason'),
  })
  .openapi('FlagParameters')
export type FlagParameters = z.infer<typeof FlagParameters>

export const RollbackParameters = z
  .object({
    scope: RollbackScope,
    full: z.boolean().default(false).describe('data: also revert the other changes of expand and finalize'),
    force: z
      .boolean()
      .optional()
      .describe('system: also overwrite changes made by others since then; admin only, requires a reason'),
    confirm: z.string().optional().describe('data and system: the name of the rollout'),
  })
  .openapi('RollbackParameters')
export type RollbackParameters = z.infer<typeof RollbackParameters>

export const MonitoringParameters = z
  .object({
    enabled: z.boolean().default(true).describe('false: the same as a rollback of scope monitoring'),
  })
  .openapi('MonitoringParameters')
export type MonitoringParameters = z.infer<typeof MonitoringParameters>

/** Rows that a rehearsal copies. */
export const REHEARSAL_SAMPLE_BOUNDS = {
  minimum: 1,
  maximum: 10_000_000,
  integer: true,
} as const satisfies ParameterBounds

export const RehearsalParameters = z
  .object({
    sample: boundedNumber(REHEARSAL_SAMPLE_BOUNDS)
      .optional()
      .describe('rows to copy; default: rehearsal.sample of the rollout file'),
  })
  .openapi('RehearsalParameters')
export type RehearsalParameters = z.infer<typeof RehearsalParameters>

const exportArchive = z.boolean().default(false)
const confirm = z.string().max(100).optional().describe('the name of the rollout')

export const ColumnDropParameters = z
  .object({
    validateData: z
      .boolean()
      .default(true)
      .describe('run the migration, its checks, and its rollback on a copy of the schema with a sample of the data'),
    generatePullRequest: z.boolean().default(true).describe('write the branch, files, title, and body'),
    includeRollback: z
      .boolean()
      .default(true)
      .describe('also write the migration that restores the columns and their data'),
    safetyChecks: z
      .boolean()
      .default(true)
      .describe('refuse unless every check passes; false: a draft whose first line says that the checks were skipped'),
    openPullRequest: z
      .boolean()
      .default(false)
      .describe('open the pull request as a draft, with the token in the agent’s configuration'),
    exportArchive: exportArchive.describe('also export the archive to a compressed file with a manifest'),
    confirm,
  })
  .openapi('ColumnDropParameters')
export type ColumnDropParameters = z.infer<typeof ColumnDropParameters>

export const ArchiveRemovalParameters = z
  .object({
    exportArchive: exportArchive.describe('first export the archive to a compressed file with a manifest'),
    force: z
      .boolean()
      .default(false)
      .describe('after the drop: also remove an archive that was never exported or never verified; admin only'),
    confirm,
  })
  .openapi('ArchiveRemovalParameters')
export type ArchiveRemovalParameters = z.infer<typeof ArchiveRemovalParameters>
