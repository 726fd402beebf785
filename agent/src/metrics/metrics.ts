import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { OperationKind, OperationState, Severity } from '../contract/index.ts'
import type { Signals } from '../signals/signals.ts'
import { batchRows, batchSeconds } from './batch.ts'
import type { Family, Moment, Observed } from './family.ts'
import { propagation } from './flag.ts'
import { acknowledgement } from './incident.ts'
import { FAMILIES, OBSERVED } from './names.ts'
import { durations } from './operation.ts'
import type { MetricsSource } from './source.ts'

export interface MetricsOptions {
  readonly environment: string
  readonly source: MetricsSource
  readonly signals: Signals
  readonly now?: () => number
}

export interface Metrics {
  readonly registry: Registry
  /** Prometheus' text format; reads memory only. */
  text(): Promise<string>
  batchObserved(batch: { rollout: string; seconds: number; rows: number }): void
  operationEnded(operation: { rollout: string; kind: OperationKind; state: OperationState; seconds: number }): void
  propagationObserved(rollout: string, seconds: number): void
  incidentAcknowledged(incident: { rollout: string | null; severity: Severity; seconds: number }): void
}

export function createMetrics({ environment, source, signals, now = Date.now }: MetricsOptions): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ environment })
  collectDefaultMetrics({ register: registry })
  for (const family of FAMILIES) register(registry, family, environment, () => moment(source, signals, now()))
  const histograms = new Map(OBSERVED.map((observed) => [observed.name, histogram(registry, observed)]))
  const observe = ({ name }: Observed, labels: Record<string, string>, value: number): void =>
    histograms.get(name)!.observe({ environment, ...labels }, value)
  return {
    registry,
    text: () => registry.metrics(),
    batchObserved({ rollout, seconds, rows }) {
      observe(batchSeconds, { rollout }, seconds)
      observe(batchRows, { rollout }, rows)
    },
    operationEnded({ rollout, kind, state, seconds }) {
      observe(durations, { rollout, kind, state }, seconds)
    },
    propagationObserved(rollout, seconds) {
      observe(propagation, { rollout }, seconds)
    },
    incidentAcknowledged({ rollout, severity, seconds }) {
      observe(acknowledgement, { rollout: rollout ?? '', severity }, seconds)
    },
  }
}

function moment(source: MetricsSource, signals: Signals, now: number): Moment {
  const all = source.rollouts()
  const oldest = now - 3_000 * source.refreshSeconds
  return {
    build: source.build,
    signals,
    all,
    alertPathSeenAt: source.alertPathSeenAt?.() ?? null,
    rollouts: all.filter(({ readAt }) => readAt >= oldest),
  }
}

/** `environment` is a label of its own here: prom-client gives a metric without labels the value 0 unasked. */
function register(registry: Registry, family: Family, environment: string, now: () => Moment): void {
  const { name, help, labels } = family
  const options = { name, help, labelNames: ['environment', ...labels], registers: [registry] }
  // Values are cleared and set in one synchronous step, so that no scrape sees half of them.
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
    for (const { labels, value } of family.samples(now())) set({ environment, ...labels }, value)
  }
}

function histogram(registry: Registry, { name, help, labels, buckets }: Observed): Histogram {
  return new Histogram({
    name,
    help,
    labelNames: ['environment', ...labels],
    buckets: [...buckets],
    registers: [registry],
  })
}
