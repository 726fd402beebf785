import { BASELINE_QUERY_VALUES, BASELINE_VALUES } from '../contract/index.ts'
import { createBlocks, put, stepFor, type Blocks } from '../measure/blocks.ts'
import { putInterval, type SampledQueries, type SampledQuery } from '../measure/queries.ts'
import type { Recent } from '../signals/recent.ts'

/** Signals are read each five seconds. */
const SHORTEST_MS = 5_000
/** No signal has such a name. */
const STATEMENTS = 'pg_stat_statements'

/** What was sampled so far of a span of time. */
export interface Sampling {
  readonly startedAt: number
  readonly durationMs: number
  readonly signals: Map<string, Blocks>
  readonly queries: SampledQueries
  /** The time of the last reading of each signal that is in it; one may come later than a younger one of another. */
  readonly taken: Map<string, number>
}

export function createSampling(startedAt: number, durationMs: number): Sampling {
  return { startedAt, durationMs, signals: new Map(), queries: new Map(), taken: new Map() }
}

/** Takes what was read since the last time, as far as it belongs to the span. */
export function takeRecent(sampling: Sampling, recent: Recent, rollout: string, now: number): void {
  const { startedAt, durationMs, taken } = sampling
  const after = (name: string): number => taken.get(name) ?? startedAt - 1
  const { stepMs, length } = stepFor(durationMs, SHORTEST_MS, BASELINE_VALUES)
  for (const signal of recent.names(rollout)) {
    const readings = recent.of(rollout, signal, after(signal)).filter(({ at }) => at <= now)
    if (readings.length === 0) continue
    let blocks = sampling.signals.get(signal)
    if (!blocks) sampling.signals.set(signal, (blocks = createBlocks(startedAt, stepMs, length)))
    for (const reading of readings) put(blocks, reading)
    taken.set(signal, readings.at(-1)!.at)
  }
  const span = { startedAt, ...stepFor(durationMs, SHORTEST_MS, BASELINE_QUERY_VALUES) }
  for (const interval of recent.statements(after(STATEMENTS)).filter(({ at }) => at <= now)) {
    putInterval(sampling.queries, interval, span)
    taken.set(STATEMENTS, interval.at)
  }
}

/** As it is kept while it goes on. */
export interface KeptSampling {
  readonly durationMs: number
  readonly taken: Record<string, number>
  readonly signals: Record<string, Blocks>
  readonly queries: Record<string, SampledQuery>
}

/** Queries that took little time are not kept: the table of a long sampling must stay small. */
const KEPT_QUERIES = 200

export function toKept({ durationMs, taken, signals, queries }: Sampling): KeptSampling {
  const dearest = [...queries].sort(([, a], [, b]) => b.total.seconds - a.total.seconds).slice(0, KEPT_QUERIES)
  return {
    durationMs,
    taken: Object.fromEntries(taken),
    signals: Object.fromEntries(signals),
    queries: Object.fromEntries(dearest),
  }
}

export function fromKept(startedAt: number, { durationMs, taken, signals, queries }: KeptSampling): Sampling {
  return {
    startedAt,
    durationMs,
    taken: new Map(Object.entries(taken)),
    signals: new Map(Object.entries(signals)),
    queries: new Map(Object.entries(queries)),
  }
}
