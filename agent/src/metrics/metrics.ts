import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { OperationKind, OperationState, Severity } from '../contract/index.ts'
import { toVisibleLine } from '../format/visibleText.ts'
import type { Signals } from '../signals/signals.ts'
import { batchRows, batchSeconds } from './backfill.ts'
import type { MetricFamily, ScrapeContext, HistogramFamily } from './metricFamily.ts'
import { flagPropagation } from './flag.ts'
import { acknowledgementSeconds } from './incident.ts'
import { SCRAPED_FAMILIES, HISTOGRAM_FAMILIES } from './names.ts'
import { operationDurations } from './operation.ts'
import type { MetricsSource } from './metricsSource.ts'

export interface MetricsOptions {
  readonly environment: string
  readonly source: MetricsSource
  readonly signals: Signals
  readonly now?: () => number
}

export interface Metrics {
  readonly registry: Registry
  /** The Prometheus text format; reads memory only. */
  text(): Promise<string>
  observeBatch(batch: { rollout: string; seconds: number; rows: number }): void
  observeOperation(operation: { rollout: string; kind: OperationKind; state: OperationState; seconds: number }): void
  observePropagation(rollout: string, seconds: number): void
  observeAcknowledgement(incident: { rollout: string | null; severity: Severity; seconds: number }): void
}

export function createMetrics({ environment, source, signals, now = Date.now }: MetricsOptions): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ environment })
  collectDefaultMetrics({ register: registry })
  for (const family of SCRAPED_FAMILIES)
    registerFamily(registry, family, environment, () => createScrapeContext(source, signals, now()))
  const histograms = new Map(
    HISTOGRAM_FAMILIES.map((observed) => [observed.name, registerHistogram(registry, observed)]),
  )
  // A rate needs a sample from before the first observation, which would not count otherwise.
  for (const { rollout } of source.pendingOffs?.() ?? [])
    histograms.get(flagPropagation.name)!.zero({ environment, rollout })
  const observe = ({ name }: HistogramFamily, labels: Record<string, string>, value: number): void =>
    histograms.get(name)!.observe({ environment, ...labels }, value)
  return {
    registry,
    text: () => registry.metrics(),
    observeBatch({ rollout, seconds, rows }) {
      observe(batchSeconds, { rollout }, seconds)
      observe(batchRows, { rollout }, rows)
    },
    observeOperation({ rollout, kind, state, seconds }) {
      observe(operationDurations, { rollout, kind, state }, seconds)
    },
    observePropagation(rollout, seconds) {
      observe(flagPropagation, { rollout }, seconds)
    },
    observeAcknowledgement({ rollout, severity, seconds }) {
      observe(acknowledgementSeconds, { rollout: rollout ?? '', severity }, seconds)
    },
  }
}

function createScrapeContext(source: MetricsSource, signals: Signals, now: number): ScrapeContext {
  const allRollouts = source.rollouts()
  const oldest = now - 3_000 * source.refreshSeconds
  return {
    build: source.build,
    signals,
    allRollouts,
    watchdogSeenAt: source.watchdogSeenAt?.() ?? null,
    alertsDropped: source.alertsDropped?.() ?? null,
    pendingOffs: source.pendingOffs?.() ?? [],
    rollouts: allRollouts.filter(({ readAt }) => readAt >= oldest),
  }
}

/** Sets `environment` as a label of each metric, because prom-client initializes a metric without labels to 0. */
function registerFamily(registry: Registry, family: MetricFamily, environment: string, now: () => ScrapeContext): void {
  const { name, help, labels } = family
  const options = { name, help, labelNames: ['environment', ...labels], registers: [registry] }
  // Values are reset and set in one synchronous step, so that no scrape sees a part of them.
  if (family.type === 'gauge') {
    const gauge: Gauge = new Gauge({
      ...options,
      collect: () => fill((labels, value) => gauge.set(labels, value), gauge),
    })
  } else {
    const counter: Counter = new Counter({
      ...options,
      collect: () => fill((labels, value) => counter.inc(labels, value), counter),
    })
  }

  function fill(set: (labels: Record<string, string>, value: number) => void, metric: { reset(): void }): void {
    metric.reset()
    for (const { labels, value } of family.samples(now())) set({ environment, ...toVisibleLabels(labels) }, value)
  }
}

/** A host, a rule or a change may have a name from outside, and alerts show it. */
const toVisibleLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, toVisibleLine(value)]))

function registerHistogram(registry: Registry, { name, help, labels, buckets }: HistogramFamily): Histogram {
  return new Histogram({
    name,
    help,
    labelNames: ['environment', ...labels],
    buckets: [...buckets],
    registers: [registry],
  })
}
