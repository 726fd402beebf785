import { z } from '@hono/zod-openapi'
import { formatCount, formatDuration, formatPercent } from '../format/format.ts'

const VariantTotals = z.object({
  requests: z.number().int(),
  failed: z.number().int(),
  latency: z.number().nullable().describe('mean duration in seconds; null: no request'),
})
export type VariantTotals = z.infer<typeof VariantTotals>

const SignalComparison = z.object({
  verdict: z.enum(['pass', 'fail', 'inconclusive']),
  value: z
    .number()
    .nullable()
    .describe(
      'latency: mean of on / mean of off; errors: ratio of failed requests of on - that of off; null: too few requests',
    ),
  between: z
    .array(z.number())
    .nullable()
    .describe('95% confidence interval of the value: lower and upper bound; null: too few requests'),
  probability: z
    .number()
    .describe('always-valid probability of this evidence, or more, without a fault of the new code'),
  detail: z.string(),
})
export type SignalComparison = z.infer<typeof SignalComparison>

/** Requests with the flag on against requests with the flag off, since the last change of the flag. */
export const VariantComparison = z
  .object({
    on: VariantTotals.describe('requests that went by type'),
    off: VariantTotals.describe('requests that went by legacy columns: the control group'),
    seconds: z.number().describe('how long both were compared'),
    latency: SignalComparison,
    errors: SignalComparison,
    missingSeconds: z
      .number()
      .nullable()
      .describe('estimated seconds until both can pass; 0: nothing is missing; null: not known yet'),
  })
  .openapi('VariantComparison')
export type VariantComparison = z.infer<typeof VariantComparison>

/** One line: both variants, and the difference with its interval. */
export function describeComparison({ on, off, latency, errors }: VariantComparison): string {
  const describe = ({ requests, failed, latency: mean }: VariantTotals): string =>
    `${formatCount(requests)} requests${mean === null ? '' : `, ${formatLatency(mean)} on average, ${formatPercent(failed / requests)} failed`}`
  const interval =
    latency.value === null || latency.between === null
      ? ''
      : `; latency ${formatMultiple(latency.value)} (95% confidence ${latency.between.map(formatMultiple).join(' to ')})`
  const verdict = [latency.verdict, errors.verdict].includes('fail') ? '; slower or failing' : ''
  return `by type: ${describe(on)}; by legacy columns: ${describe(off)}${interval}${verdict}`
}

/** A mean of many requests has more digits than one request: `5.13 ms`. */
export const formatLatency = (seconds: number): string =>
  seconds < 1 ? `${(seconds * 1_000).toPrecision(3)} ms` : formatDuration(seconds)

const formatMultiple = (ratio: number): string => `${ratio.toFixed(2)}×`
