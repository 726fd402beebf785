import { isPartlyOn } from '../contract/index.ts'
import { isKnown } from '../signals/reading.ts'
import { summarizeVariant, type VariantSummary } from '../signals/variantSummary.ts'
import type { MetricFamily } from './metricFamily.ts'

/** Readings of a variant cover this time. */
const WINDOW_SECONDS = 30

function variantGauge(name: MetricFamily['name'], help: string, value: keyof VariantSummary): MetricFamily {
  return {
    name,
    type: 'gauge',
    help: `${help} of the last 30 s, by the variant of the flag (on or off); absent while the flag is off and no backfill runs.`,
    labels: ['rollout', 'variant'],
    *samples({ allRollouts, signals }) {
      for (const { rollout } of allRollouts) {
        const requests = signals.requests(rollout)
        if (!isKnown(requests)) continue
        for (const variant of requests.value.variants) {
          const reading = summarizeVariant(requests.value.variantBlocks, variant, WINDOW_SECONDS)?.[value] ?? null
          if (reading !== null) yield { labels: { rollout, variant }, value: reading }
        }
      }
    },
  }
}

const comparisonAvailable: MetricFamily = {
  name: 'sti_comparison_available',
  type: 'gauge',
  help: '1 if requests with the flag on are compared with requests with the flag off, 0 if a variant is not seen and the baseline decides; absent unless the flag is on for a part of the keys and the histogram of the application is read.',
  labels: ['rollout'],
  *samples({ allRollouts, signals }) {
    for (const { rollout, flag, comparison } of allRollouts) {
      if (!isPartlyOn(flag)) continue
      if (isKnown(signals.requests(rollout))) yield { labels: { rollout }, value: comparison === null ? 0 : 1 }
    }
  },
}

const comparisonProbability: MetricFamily = {
  name: 'sti_comparison_probability',
  type: 'gauge',
  help: 'Always-valid probability of the difference between both variants, or of a larger one, if the new code has no fault; below 0.0005 it is a fault. By signal: latency or errors; absent without a comparison.',
  labels: ['rollout', 'signal'],
  *samples({ allRollouts }) {
    for (const { rollout, comparison } of allRollouts) {
      if (comparison === null) continue
      yield { labels: { rollout, signal: 'latency' }, value: comparison.latency.probability }
      yield { labels: { rollout, signal: 'errors' }, value: comparison.errors.probability }
    }
  },
}

export const variantMetrics = [
  variantGauge('sti_variant_latency_average_seconds', 'Mean duration of the requests', 'latencyAverage'),
  variantGauge('sti_variant_latency_p95_seconds', '95th percentile of the durations', 'latencyP95'),
  variantGauge('sti_variant_error_ratio', 'Failed requests / all requests', 'errorRatio'),
  variantGauge('sti_variant_requests_per_second', 'Requests per second', 'requestsPerSecond'),
  comparisonAvailable,
  comparisonProbability,
]
