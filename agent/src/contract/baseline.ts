import { z } from '@hono/zod-openapi'
import { Actor } from './operation.ts'
import { Instant, Verdict } from './enums.ts'

/** Values kept per signal, each the mean of one interval. */
export const MAX_BASELINE_VALUES = 480
/** Normalized queries kept, those with the most total time, and values kept per query. */
export const MAX_BASELINE_QUERIES = 50
export const MAX_BASELINE_QUERY_VALUES = 120
/** Characters kept of the text of a query. */
export const MAX_QUERY_TEXT_LENGTH = 500

/** How a baseline was measured; only values measured the same way are compared. */
export const BaselineMethod = z.enum(['history', 'live'])
export type BaselineMethod = z.infer<typeof BaselineMethod>

const values = (maximum: number) =>
  z.array(z.number().nullable()).max(maximum).describe('means over `stepSeconds`, oldest first; null: unknown')

/** One signal over the time range of a baseline, in base units: seconds, ratios from 0 to 1, per second, bytes. */
export const SignalBaseline = z
  .object({
    signal: z.string().max(100),
    samples: z.number().int().min(0).describe('number of readings'),
    mean: z.number().nullable().describe('null: not enough readings; `unknown` says why'),
    standardDeviation: z.number().nullable().describe('standard deviation of the values'),
    median: z.number().nullable(),
    p95: z.number().nullable(),
    maximum: z.number().nullable(),
    stepSeconds: z.number().positive(),
    values: values(MAX_BASELINE_VALUES),
    unknown: z.string().max(1000).nullable(),
  })
  .openapi('SignalBaseline')
export type SignalBaseline = z.infer<typeof SignalBaseline>

/** One normalized query of pg_stat_statements. */
export const QueryBaseline = z
  .object({
    query: z.string().max(64).describe('MD5 of the normalized text, the same on every server'),
    text: z.string().max(MAX_QUERY_TEXT_LENGTH).describe('beginning of the query text'),
    calls: z.number().min(0),
    meanSeconds: z.number().min(0),
    standardDeviationSeconds: z.number().min(0).describe('standard deviation over its calls'),
    stepSeconds: z.number().positive().nullable().describe('null: only the counters since `since` are known'),
    values: values(MAX_BASELINE_QUERY_VALUES),
    since: Instant.nullable().describe('start of the counters if there are no values'),
  })
  .openapi('QueryBaseline')
export type QueryBaseline = z.infer<typeof QueryBaseline>

/** The content that `sti baseline --output` writes and an import reads. */
export const BaselineContent = z
  .object({
    rollout: z.string(),
    environment: z.string(),
    fileHash: z.string().describe('SHA-256 of the rollout file at the time of the measurement'),
    sourcesHash: z.string().describe('hash of the parts of the file that configure the signals'),
    release: z.string().max(100).nullable(),
    measured: BaselineMethod,
    startedAt: Instant,
    endedAt: Instant,
    signals: z.array(SignalBaseline).max(200),
    queries: z.array(QueryBaseline).max(MAX_BASELINE_QUERIES),
    notes: z.array(z.string().max(2000)).max(50).describe('limitations of the baseline'),
  })
  .openapi('BaselineContent')
export type BaselineContent = z.infer<typeof BaselineContent>

export const BaselineSummary = BaselineContent.omit({ signals: true, queries: true })
  .extend({
    id: z.number().int().describe('number of the operation that measured it'),
    operationId: z.number().int().nullable().describe('null: imported'),
    source: z.enum(['history', 'live', 'import']),
    digest: z.string().describe('SHA-256 of the content'),
    oneRunOnly: z.boolean().describe('used by one validation only'),
    createdAt: Instant,
    createdBy: Actor,
    signals: z.array(SignalBaseline.omit({ values: true })),
    queries: z.number().int(),
    warnings: z.array(z.string()).describe('warnings to show wherever it is used'),
    unusable: z.array(z.string()).describe('why it cannot be used now; empty: it can be used'),
  })
  .openapi('BaselineSummary')
export type BaselineSummary = z.infer<typeof BaselineSummary>

export const Baseline = BaselineSummary.extend({ content: BaselineContent }).openapi('Baseline')
export type Baseline = z.infer<typeof Baseline>

export const BaselineImport = z
  .object({
    content: BaselineContent,
    reason: z.string().max(2000).optional(),
    oneRunOnly: z.boolean().default(false).describe('use it for one validation, not as the baseline of the rollout'),
  })
  .openapi('BaselineImport')
export type BaselineImport = z.infer<typeof BaselineImport>

/** One signal or query compared with the baseline. */
export const BaselineComparisonItem = z
  .object({
    name: z.string(),
    verdict: Verdict.nullable().describe('null: no limit applies'),
    baseline: z.number().nullable().describe('mean'),
    now: z.number().nullable().describe('mean'),
    ratio: z.number().nullable().describe('now / baseline'),
    limit: z.number().nullable().describe('maximum ratio; null: shown but not judged'),
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
    queries: z.array(BaselineComparisonItem).describe('queries in both, largest slowdown first'),
    notes: z.array(z.string()),
  })
  .openapi('BaselineComparison')
export type BaselineComparison = z.infer<typeof BaselineComparison>
