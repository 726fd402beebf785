import { z } from '@hono/zod-openapi'
import { Instant, Verdict } from './enums.ts'
import { ColumnDropParameters } from './parameters.ts'

/** What is known of the archive of the legacy columns. */
export const ColumnArchive = z
  .object({
    relation: z.string().describe('the table that holds it'),
    operationId: z.number().int().describe('that made it'),
    fileHash: z.string(),
    columns: z.array(
      z.object({ name: z.string(), type: z.string(), key: z.boolean().describe('rows are known by it') }),
    ),
    there: z.boolean().describe('false: somebody has dropped that table'),
    madeAt: Instant,
    completedAt: Instant.nullable().describe('null: not every row has been kept yet'),
    verified: z
      .object({
        at: Instant,
        rows: z.number().int(),
        differing: z.number().int().describe('rows that are not in both, or not the same'),
        checksum: z.string(),
      })
      .nullable()
      .describe('the last comparison with the table'),
    exported: z
      .object({
        path: z.string(),
        at: Instant,
        rows: z.number().int(),
        bytes: z.number().int(),
        sha256: z.string().describe('of the compressed file'),
      })
      .nullable(),
    droppedAt: Instant.nullable().describe('when the migration dropped the legacy columns'),
    restoredAt: Instant.nullable().describe('when it brought them back'),
  })
  .openapi('ColumnArchive')
export type ColumnArchive = z.infer<typeof ColumnArchive>

/** One safety check of a column drop, answered. */
export const ColumnDropCheck = z
  .object({
    check: z.string().describe('stable: pages, reports and the pull request name it'),
    question: z.string(),
    verdict: Verdict,
    evidence: z.string().describe('one sentence; of one that does not pass: what has to be done'),
    findings: z.array(z.string()).describe('what it found: objects, statements, clients; at most 50'),
    seconds: z.number(),
  })
  .openapi('ColumnDropCheck')
export type ColumnDropCheck = z.infer<typeof ColumnDropCheck>

export const ColumnDropFile = z
  .object({
    path: z.string().describe('inside the repository'),
    language: z.enum(['sql', 'javascript', 'markdown', 'json']),
    text: z.string(),
  })
  .openapi('ColumnDropFile')
export type ColumnDropFile = z.infer<typeof ColumnDropFile>

export const ColumnDropPullRequest = z
  .object({
    branch: z.string(),
    title: z.string(),
    body: z.string().describe('Markdown'),
    labels: z.array(z.string()),
    files: z.array(ColumnDropFile),
    url: z.string().nullable().describe('where it was opened; null: it was not'),
  })
  .openapi('ColumnDropPullRequest')
export type ColumnDropPullRequest = z.infer<typeof ColumnDropPullRequest>

/** One run of `sti prepare-column-drop`, whether it produced a migration or refused. */
export const PreparedColumnDrop = z
  .object({
    id: z.number().int(),
    operationId: z.number().int(),
    at: Instant,
    fileHash: z.string(),
    parameters: ColumnDropParameters,
    verdict: Verdict.describe('of all its checks: the worst of them'),
    prepared: z.boolean().describe('false: it was refused'),
    reasons: z.array(z.string()).describe('why it was refused, or what a draft was not held to'),
    checks: z.array(ColumnDropCheck),
    migration: z.object({ up: z.string(), down: z.string().nullable() }).nullable().describe('as plain SQL'),
    pullRequest: ColumnDropPullRequest.nullable(),
    archive: z.record(z.string(), z.unknown()).nullable().describe('its manifest'),
    proof: z.record(z.string(), z.unknown()).nullable().describe('times and locks of the trial on a copy'),
  })
  .openapi('PreparedColumnDrop')
export type PreparedColumnDrop = z.infer<typeof PreparedColumnDrop>

/** What the agent sees of the application while it waits for the drop. */
export const ColumnUsageWatch = z
  .object({
    soakSeconds: z.number(),
    flagFullSince: Instant.nullable().describe('since when the flag is at 100 %; null: it is not'),
    evaluationsWatchedSince: Instant.nullable(),
    lastEvaluatedAt: Instant.nullable(),
    lastEvaluatedBy: z.string().nullable(),
    statementsWatchedSince: Instant.nullable(),
    uses: z
      .array(
        z.object({
          statement: z.string(),
          reads: z.array(z.string()),
          writes: z.array(z.string()),
          lastCalledAt: Instant.nullable().describe('null: not since it is watched'),
        }),
      )
      .describe('statements of the application that name legacy columns; those called last first, at most 50'),
  })
  .openapi('ColumnDropWatch')
export type ColumnUsageWatch = z.infer<typeof ColumnUsageWatch>

export const ColumnDrop = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    legacyColumns: z.array(z.string()),
    last: PreparedColumnDrop.nullable().describe('the newest run'),
    fresh: z.boolean().describe('what was prepared still holds'),
    staleBecause: z.string().nullable(),
    dropped: z
      .object({ columns: z.array(z.string()), noticedAt: Instant, restore: z.string() })
      .nullable()
      .describe('the migration ran: the columns are gone, and how they come back'),
    archive: ColumnArchive.nullable().describe('null: there is none, or it was removed'),
    watch: ColumnUsageWatch,
  })
  .openapi('ColumnDrop')
export type ColumnDrop = z.infer<typeof ColumnDrop>
