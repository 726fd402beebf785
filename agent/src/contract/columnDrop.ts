import { z } from '@hono/zod-openapi'
import { AcceptedSubject } from './acceptance.ts'
import { nullable } from './nullable.ts'
import { Instant, Verdict } from './enums.ts'
import { ColumnDropParameters } from './parameters.ts'

/** Error code of a column drop whose checks refuse it; its checks are stored. */
export const COLUMN_DROP_REFUSED = 'column-drop-refused'

/** The archive of the legacy columns. */
export const ColumnArchive = z
  .object({
    relation: z.string().describe('name of the archive table'),
    operationId: z.number().int().describe('operation that created it'),
    fileHash: z.string(),
    columns: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        key: z.boolean().describe('part of the key that identifies rows'),
      }),
    ),
    there: z.boolean().describe('false: the archive table was dropped'),
    madeAt: Instant,
    completedAt: Instant.nullable().describe('null: not all rows are archived yet'),
    verified: z
      .object({
        at: Instant,
        rows: z.number().int(),
        differing: z.number().int().describe('rows that are missing on one side or differ'),
        checksum: z.string(),
      })
      .nullable()
      .describe('last comparison with the table'),
    exported: z
      .object({
        path: z.string(),
        at: Instant,
        rows: z.number().int(),
        bytes: z.number().int(),
        sha256: z.string().describe('SHA-256 of the compressed file'),
      })
      .nullable(),
    droppedAt: Instant.nullable().describe('when the migration dropped the legacy columns'),
    restoredAt: Instant.nullable().describe('when the migration restored them'),
  })
  .openapi('ColumnArchive')
export type ColumnArchive = z.infer<typeof ColumnArchive>

/** The result of one safety check of a column drop. */
export const ColumnDropCheck = z
  .object({
    check: z.string().describe('stable name, used in pages, reports, and the pull request'),
    question: z.string(),
    verdict: Verdict,
    evidence: z.string().describe('one sentence; if the check does not pass, what to do'),
    findings: z.array(z.string()).describe('objects, statements, or clients that it found; at most 50'),
    acceptable: z
      .array(z.string())
      .describe('what an admin can accept by name so that the check no longer blocks; empty: nothing'),
    accepted: z
      .array(AcceptedSubject)
      .describe('what was accepted; if nothing acceptable is left, the check does not block'),
    seconds: z.number(),
  })
  .openapi('ColumnDropCheck')
export type ColumnDropCheck = z.infer<typeof ColumnDropCheck>

/** The check passed, or an admin accepted everything that it could not decide. */
export const allowsColumnDrop = ({ verdict, acceptable, accepted }: ColumnDropCheck): boolean =>
  verdict === 'pass' || (accepted.length > 0 && acceptable.length === 0)

export const ColumnDropFile = z
  .object({
    path: z.string().describe('path in the repository'),
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
    url: z.string().nullable().describe('URL of the pull request; null: it was not opened'),
  })
  .openapi('ColumnDropPullRequest')
export type ColumnDropPullRequest = z.infer<typeof ColumnDropPullRequest>

/** One run of `sti prepare-column-drop`, successful or refused. */
export const PreparedColumnDrop = z
  .object({
    id: z.number().int().describe('number of the operation'),
    at: Instant,
    fileHash: z.string(),
    derivationHash: z.string(),
    parameters: ColumnDropParameters,
    verdict: Verdict.describe('worst verdict of all checks that were not accepted'),
    prepared: z.boolean().describe('false: refused'),
    reasons: z.array(z.string()).describe('why it was refused, or which checks a draft skipped'),
    checks: z.array(ColumnDropCheck),
    migration: z.object({ up: z.string(), down: z.string().nullable() }).nullable().describe('plain SQL'),
    pullRequest: nullable(ColumnDropPullRequest),
    archive: z.record(z.string(), z.unknown()).nullable().describe('manifest of the archive'),
    trial: z.record(z.string(), z.unknown()).nullable().describe('durations and locks measured on a copy'),
  })
  .openapi('PreparedColumnDrop')
export type PreparedColumnDrop = z.infer<typeof PreparedColumnDrop>

/** Use of the legacy columns by the application, observed until the drop. */
export const ColumnUsageWatch = z
  .object({
    soakSeconds: z.number(),
    flagFullSince: Instant.nullable().describe('when the flag reached 100%; null: it is below'),
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
          lastCalledAt: Instant.nullable().describe('null: not called since the watch started'),
        }),
      )
      .describe('statements of the application that use legacy columns, most recently called first; at most 50'),
  })
  .openapi('ColumnDropWatch')
export type ColumnUsageWatch = z.infer<typeof ColumnUsageWatch>

export const ColumnDrop = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    legacyColumns: z.array(z.string()),
    last: nullable(PreparedColumnDrop).describe('the newest run'),
    fresh: z.boolean().describe('the prepared migration is up to date'),
    staleBecause: z.string().nullable(),
    dropped: z
      .object({ columns: z.array(z.string()), noticedAt: Instant, restore: z.string() })
      .nullable()
      .describe('the migration has run; `restore` says how to restore the columns'),
    archive: nullable(ColumnArchive).describe('null: none exists, or it was removed'),
    watch: ColumnUsageWatch,
  })
  .openapi('ColumnDrop')
export type ColumnDrop = z.infer<typeof ColumnDrop>
