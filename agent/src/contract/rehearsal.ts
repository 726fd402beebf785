import { z } from '@hono/zod-openapi'
import { nullable } from './nullable.ts'
import { Instant, RollbackScope } from './enums.ts'

/** The state of the backup, as reported by the query in the rollout file. */
export const BackupStatus = z
  .object({
    available: z.boolean().describe('a recent enough backup exists; false if unknown'),
    expected: z
      .boolean()
      .describe(
        'the rollout file has a backup query, or PostgreSQL archives WAL; otherwise a missing backup alerts nobody',
      ),
    ageSeconds: z.number().nullable().describe('null: there is none, or its age is unknown'),
    detail: z.string().describe('one sentence'),
  })
  .openapi('BackupStatus')
export type BackupStatus = z.infer<typeof BackupStatus>

/** Duration of the rollback of one scope on the sample, and the estimate for the table. */
export const ScopeRehearsal = z
  .object({
    scope: RollbackScope,
    seconds: z.number().describe('duration on the sample'),
    rowsPerSecond: z.number().nullable().describe('rows of the sample read or written per second; null: none'),
    estimatedSeconds: z.number().describe('estimate for the table at that time'),
  })
  .openapi('RehearsedScope')
export type ScopeRehearsal = z.infer<typeof ScopeRehearsal>

/** `result` of an operation of kind rehearsal. */
export const RehearsalResult = z
  .object({
    sampleRows: z.number().int(),
    tableRows: z.number().int().describe('exact count, or the estimate of the statistics for a large table'),
    structure: z
      .string()
      .describe('SHA-256 of the structure of the rehearsed table, without the objects created by STI'),
    checksum: z.string().describe('checksum of the sample before expand, and again after each rollback'),
    steps: z.array(z.object({ step: z.string(), seconds: z.number(), detail: z.string() })),
    scopes: z.array(ScopeRehearsal),
    notes: z.array(z.string()).describe('differences between the sample and the table'),
  })
  .openapi('RehearsalResult')
export type RehearsalResult = z.infer<typeof RehearsalResult>

export const RehearsalStatus = z
  .object({
    operationId: z.number().int().nullable().describe('last rehearsal that succeeded'),
    succeededAt: Instant.nullable(),
    counts: z.boolean().describe('recent enough, and valid for the current file and table structure'),
    why: z.string().nullable().describe('why it is not valid, and what to do'),
    dueAt: Instant.nullable().describe('when the next rehearsal starts automatically; null: none is scheduled'),
    everySeconds: z.number(),
    result: nullable(RehearsalResult),
  })
  .openapi('RehearsalStatus')
export type RehearsalStatus = z.infer<typeof RehearsalStatus>
