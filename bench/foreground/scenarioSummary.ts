import { median } from '../statistics.ts'
import type { Goal } from '../goals.ts'
import { formatCount } from '../../agent/src/format/format.ts'
import { markdownTable } from '../format.ts'
import type { ScenarioRun } from './observeScenario.ts'
import type { Scenario } from './scenarios.ts'
import type { LatencySeries } from '../chart/latencyPanels.ts'

/** An entry of `--foreground --json`: medians of the runs of one scenario. */
interface ScenarioSummary {
  readonly scenario: string
  readonly workers: number
  readonly rows: number
  readonly runs: number
  /** Null without load. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
  /** Null if nothing is written. */
  readonly rowsPerSecond: number | null
  /** 99th percentile of the lateness of the load generator itself. */
  readonly latenessMs: number | null
}

export function summarizeScenario(
  { method, load }: Scenario,
  rows: number,
  runs: readonly ScenarioRun[],
): ScenarioSummary {
  const medianPercentile = (p: number, pick: (run: ScenarioRun) => readonly number[] = latencies): number | null =>
    load ? Number(median(runs.map((run) => percentile(pick(run), p))).toFixed(3)) : null
  return {
    scenario: method.name,
    workers: method.workers,
    rows,
    runs: runs.length,
    p50Ms: medianPercentile(0.5),
    p95Ms: medianPercentile(0.95),
    p99Ms: medianPercentile(0.99),
    maxMs: medianPercentile(1),
    rowsPerSecond: method.leaves === 'nothing' ? null : Math.round(median(runs.map((run) => rows / run.seconds))),
    latenessMs: medianPercentile(0.99, (run) => run.lateness),
  }
}

const latencies = (run: ScenarioRun): number[] => run.requests.map((request) => request.milliseconds)

export function summaryTable(all: readonly ScenarioSummary[]): string {
  const milliseconds = (value: number | null): string => (value === null ? '-' : value.toFixed(value < 100 ? 2 : 0))
  return markdownTable(
    ['method', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'rows/s', 'load late p99 ms'],
    all.map((summary) => [
      ...[summary.scenario, milliseconds(summary.p50Ms), milliseconds(summary.p95Ms), milliseconds(summary.p99Ms)],
      ...[milliseconds(summary.maxMs), summary.rowsPerSecond === null ? '-' : formatCount(summary.rowsPerSecond)],
      milliseconds(summary.latenessMs),
    ]),
  )
}

/** The p99 goal is 2 ms or 1.5 times the p99 without a backfill. */
export function foregroundGoals(all: readonly ScenarioSummary[]): Goal[] {
  const findSummary = (name: string): ScenarioSummary | undefined => all.find((summary) => summary.scenario === name)
  const [none, ours, share, alone] = [
    findSummary('none'),
    findSummary('engine'),
    findSummary('processor'),
    findSummary('engine-unthrottled'),
  ]
  const ratio = (a: number | null | undefined, b: number | null | undefined): number | null => (a && b ? a / b : null)
  const p99 = ours?.p99Ms ?? null
  return [
    {
      what: 'p95 with the engine to p95 without a backfill',
      bound: 'at most',
      limit: 1.1,
      value: ratio(ours?.p95Ms, none?.p95Ms),
    },
    {
      what: 'p95 with the engine to p95 with its share of a processor alone, the best possible on this machine',
      bound: 'at most',
      limit: 1.1,
      value: ratio(ours?.p95Ms, share?.p95Ms),
    },
    p99 !== null && p99 <= 2
      ? { what: 'p99 with the engine in ms', bound: 'at most', limit: 2, value: p99 }
      : {
          what: 'p99 with the engine (above 2 ms) to p99 without a backfill',
          bound: 'at most',
          limit: 1.5,
          value: ratio(p99, none?.p99Ms),
        },
    {
      what: 'rows/s of the engine under load to rows/s without load and rest',
      bound: 'at least',
      limit: 0.25,
      value: ratio(ours?.rowsPerSecond, alone?.rowsPerSecond),
    },
  ]
}

/** Percentile by nearest rank. `p`: 0 to 1; the values need not be sorted. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? NaN
}

/** One run by seconds. The incomplete last second is merged into the one before. */
export function toLatencySeries(title: string, { seconds, requests }: ScenarioRun): LatencySeries {
  const parts = Math.max(1, Math.floor(seconds))
  const buckets = Array.from({ length: parts }, (): number[] => [])
  for (const { at, milliseconds } of requests) buckets[Math.min(parts - 1, Math.floor(at))]!.push(milliseconds)
  const filled = buckets.flatMap((values, n) => (values.length === 0 ? [] : [{ values, second: n + 0.5 }]))
  const all = requests.map((request) => request.milliseconds)
  const figure = (p: number): string => {
    const value = percentile(all, p)
    return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`
  }
  return {
    title,
    remark: `p50 ${figure(0.5)}, p95 ${figure(0.95)}, p99 ${figure(0.99)}, max ${figure(1)}`,
    seconds: filled.map((bucket) => bucket.second),
    p50: filled.map((bucket) => percentile(bucket.values, 0.5)),
    p99: filled.map((bucket) => percentile(bucket.values, 0.99)),
  }
}
