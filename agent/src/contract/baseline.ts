import { z } from '@hono/zod-openapi'
import { Actor } from './operation.ts'
import { Instant, Verdict } from './enums.ts'

/** At most this many values of a signal are kept, each the mean of its part of the time. */
export const MAX_BASELINE_VALUES = 480
/** At most this many normalised queries, those that took the most time, with at most so many values each. */
export const MAX_BASELINE_QUERIES = 50
export const MAX_BASELINE_QUERY_VALUES = 120
/** Of a query's text as many characters are kept. */
export const MAX_QUERY_TEXT_LENGTH = 500

/** Where a baseline came from, and how what it holds was measured: only values measured the same way are compared. */
export const BaselineMethod = z.enum(['history', 'live'])
export type BaselineMethod = z.infer<typeof BaselineMethod>

const values = (most: number) =>
  z
    .array(z.number().nullable())
    .max(most)
    .describe('each the mean of `stepSeconds`, the oldest first; null: nothing known then')

/** One signal over the time of a baseline, in base units: seconds, ratios of 0 to 1, per second, bytes. */
export const SignalBaseline = z
  .object({
    signal: z.string().max(100),
    samples: z.number().int().min(0).describe('readings that were taken'),
    mean: z.number().nullable().describe('null: too little is known, and `unknown` says why'),
    standardDeviation: z.number().nullable().describe('of the values'),
    median: z.number().nullable(),
    p95: z.number().nullable(),
    maximum: z.number().nullable(),
    stepSeconds: z.number().positive(),
    values: values(MAX_BASELINE_VALUES),
    unknown: z.string().max(1000).nullable(),
  })
  .openapi('SignalBaseline')
export type SignalBaseline = z.infer<typeof SignalBaseline>

/** One normalised query of pg_stat_statements. */
export const QueryBaseline = z
  .object({
    query: z.string().max(64).describe('MD5 of its normalised text: the same on every server'),
    text: z.string().max(MAX_QUERY_TEXT_LENGTH).describe('its beginning'),
    calls: z.number().min(0),
    meanSeconds: z.number().min(0),
    standardDeviationSeconds: z.number().min(0).describe('over its calls'),
    stepSeconds: z.number().positive().nullable().describe('null: only its counters since `since` are known'),
    values: values(MAX_BASELINE_QUERY_VALUES),
    since: Instant.nullable().describe('of the counters, where there are no values'),
  })
  .openapi('QueryBaseline')
export type QueryBaseline = z.infer<typeof QueryBaseline>

/** What `sti baseline --output` writes and an import reads. */
export const BaselineContent = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    fileHash: z.string().describe('of the rollout file under which it was measured'),
    sourcesHash: z.string().describe('of those parts of the file that say where signals are read'),
    release: z.string().max(100).nullable(),
    measured: BaselineMethod,
    startedAt: Instant,
    endedAt: Instant,
    signals: z.array(SignalBaseline).max(200),
    queries: z.array(QueryBaseline).max(MAX_BASELINE_QUERIES),
    notes: z.array(z.string().max(2000)).max(50).describe('what a person should know before trusting it'),
  })
  .openapi('BaselineContent')
export type BaselineContent = z.infer<typeof BaselineContent>

export const BaselineSummary = BaselineContent.omit({ signals: true, queries: true })
  .extend({
    id: z.number().int(),
    operationId: z.number().int().nullable().describe('null: it was imported'),
    source: z.enum(['history', 'live', 'import']),
    digest: z.string().describe('SHA-256 of its content: the same file has the same'),
    oneRunOnly: z.boolean().describe('given to one validation; no other uses it'),
    createdAt: Instant,
    createdBy: Actor,
    signals: z.array(SignalBaseline.omit({ values: true })),
    queries: z.number().int(),
    warnings: z.array(z.string()).describe('what is to be said wherever it is used'),
    unusable: z.array(z.string()).describe('why nothing may be judged by it now; empty: it can be used'),
  })
  .openapi('BaselineSummary')
export type BaselineSummary = z.infer<typeof BaselineSummary>

export const Baseline = BaselineSummary.extend({ content: BaselineContent }).openapi('Baseline')
export type Baseline = z.infer<typeof Baseline>

export const BaselineImport = z
  .object({
    content: BaselineContent,
    reason: z.string().max(2000).optional(),
    oneRunOnly: z.boolean().default(false).describe('for one validation, not as the baseline of the rollout'),
  })
  .openapi('BaselineImport')
export type BaselineImport = z.infer<typeof BaselineImport>

/** One signal, or one query, beside the baseline. */
export const BaselineComparisonItem = z
  .object({
    name: z.string(),
    verdict: Verdict.nullable().describe('null: no limit speaks of it'),
    baseline: z.number().nullable().describe('mean'),
    now: z.number().nullable().describe('mean'),
    ratio: z.number().nullable().describe('now / baseline'),
    limit: z.number().nullable().describe('what the ratio may reach; null: it is shown, not judged'),
    detail: z.string(),
  })
  .openapi('Compared')
export type BaselineComparisonItem = z.infer<typeof BaselineComparisonItem>

export const BaselineComparison = z
  .object({
    baseline: BaselineSummary,
    from: Instant,
    until: Instant,
    verdict: Verdict,
    signals: z.array(BaselineComparisonItem),
    queries: z.array(BaselineComparisonItem).describe('those that both know, the slowest against the baseline first'),
    notes: z.array(z.string()),
  })
  .openapi('BaselineComparison')
export type BaselineComparison = z.infer<typeof BaselineComparison>
