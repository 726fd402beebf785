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

/** One line: both variants, and the differences with their intervals. */
export function describeComparison(comparison: VariantComparison): string {
  const { on, off, latency, errors } = comparison
  const latencyRatio = describeLatencyRatio(comparison)
  const errorDifference = describeErrorDifference(comparison)
  return [
    `by type: ${describeVariant(on)}`,
    `by legacy columns: ${describeVariant(off)}`,
    ...(latencyRatio === null ? [] : [`latency ${latencyRatio}`]),
    ...(errorDifference === null ? [] : [`failed requests ${errorDifference}`]),
    ...([latency.verdict, errors.verdict].includes('fail') ? ['slower or failing'] : []),
  ].join('; ')
}

/** `1,204 requests, 5.13 ms on average, 0.1% failed`. */
export const describeVariant = ({ requests, failed, latency }: VariantTotals): string =>
  latency === null
    ? `${formatCount(requests)} requests`
    : `${formatCount(requests)} requests, ${formatLatency(latency)} on average, ${formatPercent(failed / requests)} failed`

/** The mean of on / that of off: `1.02× (95% confidence 0.97× to 1.07×)`; null: too little was measured. */
export const describeLatencyRatio = ({ latency }: VariantComparison): string | null =>
  describeDifference(latency, formatMultiple)

/** The ratio of failed requests of on - that of off: `+0.5% (95% confidence -0.1% to +1.2%)`; null: no requests. */
export const describeErrorDifference = ({ errors }: VariantComparison): string | null =>
  describeDifference(errors, formatSignedPercent)

function describeDifference({ value, between }: SignalComparison, format: (value: number) => string): string | null {
  if (value === null || between === null) return null
  return `${format(value)} (95% confidence ${between.map(format).join(' to ')})`
}

/** A mean of many requests has more digits than one request: `5.13 ms`. */
export const formatLatency = (seconds: number): string =>
  seconds < 1 ? `${(seconds * 1_000).toPrecision(3)} ms` : formatDuration(seconds)

const formatMultiple = (ratio: number): string => `${ratio.toFixed(2)}×`

const formatSignedPercent = (difference: number): string =>
  `${difference > 0 ? '+' : difference < 0 ? '-' : ''}${formatPercent(Math.abs(difference))}`
