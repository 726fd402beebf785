import { z } from '@hono/zod-openapi'
import { Instant, RollbackScope } from './enums.ts'

/** Whether there is a backup to fall back on, as the rollout file's own query says. */
export const BackupStatus = z
  .object({
    available: z.boolean().describe('there is one, and it is young enough; not known counts as no'),
    ageSeconds: z.number().nullable().describe('null: there is none, or it is not known'),
    detail: z.string().describe('one sentence'),
  })
  .openapi('BackupStatus')
export type BackupStatus = z.infer<typeof BackupStatus>

/** What taking back one scope took on the sample, and what that means for the table. */
export const ScopeRehearsal = z
  .object({
    scope: RollbackScope,
    seconds: z.number().describe('on the sample'),
    rowsPerSecond: z.number().nullable().describe('of the sample that were read or written; null: none had to be'),
    estimatedSeconds: z.number().describe('for the table as it was then'),
  })
  .openapi('RehearsedScope')
export type ScopeRehearsal = z.infer<typeof ScopeRehearsal>

/** `result` of an operation of kind rehearsal. */
export const RehearsalResult = z
  .object({
    sampleRows: z.number().int(),
    tableRows: z.number().int().describe('counted, or of a large table as the statistics say'),
    structure: z.string().describe('SHA-256 of the structure of the table that was rehearsed, without what is ours'),
    checksum: z.string().describe('of the sample before expand, and again after each rollback'),
    steps: z.array(z.object({ step: z.string(), seconds: z.number(), detail: z.string() })),
    scopes: z.array(ScopeRehearsal),
    notes: z.array(z.string()).describe('what the sample does not have of the table'),
  })
  .openapi('RehearsalResult')
export type RehearsalResult = z.infer<typeof RehearsalResult>

export const RehearsalStatus = z
  .object({
    operationId: z.number().int().nullable().describe('the last that succeeded'),
    succeededAt: Instant.nullable(),
    counts: z.boolean().describe('it is young enough, and of this file and this structure of the table'),
    why: z.string().nullable().describe('why it does not count, and what to do'),
    dueAt: Instant.nullable().describe('when the next one starts by itself; null: none does as things stand'),
    everySeconds: z.number(),
    result: RehearsalResult.nullable(),
  })
  .openapi('RehearsalStatus')
export type RehearsalStatus = z.infer<typeof RehearsalStatus>
