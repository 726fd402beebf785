import { median } from '../statistics.ts'
import type { Goal } from '../goals.ts'
import { formatCount, markdownTable } from '../format.ts'
import type { ScenarioRun } from './observeScenario.ts'
import { percentile } from './percentile.ts'
import type { Scenario } from './scenarios.ts'

/** What `--foreground --json` writes, one entry for each scenario: medians of the runs. */
export interface ScenarioSummary {
  readonly scenario: string
  readonly workers: number
  readonly rows: number
  readonly runs: number
  /** Null where there is no load. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
  /** Null where nothing is written. */
  readonly rowsPerSecond: number | null
  /** Of the load generator itself: its 99th percentile. */
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

const latencies = (run: ScenarioRun): number[] => run.requests.map((one) => one.milliseconds)

export function summaryTable(all: readonly ScenarioSummary[]): string {
  const milliseconds = (value: number | null): string => (value === null ? '-' : value.toFixed(value < 100 ? 2 : 0))
  return markdownTable(
    ['beside the load', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'rows/s', 'load late p99 ms'],
    all.map((one) => [
      ...[one.scenario, milliseconds(one.p50Ms), milliseconds(one.p95Ms), milliseconds(one.p99Ms)],
      ...[milliseconds(one.maxMs), one.rowsPerSecond === null ? '-' : formatCount(one.rowsPerSecond)],
      milliseconds(one.latenessMs),
    ]),
  )
}

/** p99 is good at one and a half times that of nothing beside it, or at 2 ms. */
export function foregroundGoals(all: readonly ScenarioSummary[]): Goal[] {
  const findSummary = (name: string): ScenarioSummary | undefined => all.find((one) => one.scenario === name)
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
      what: 'p95 beside the engine to beside nothing',
      bound: 'at most',
      limit: 1.1,
      value: ratio(ours?.p95Ms, none?.p95Ms),
    },
    {
      what: 'p95 beside the engine to beside its share of a processor, which is what can be had here',
      bound: 'at most',
      limit: 1.1,
      value: ratio(ours?.p95Ms, share?.p95Ms),
    },
    p99 !== null && p99 <= 2
      ? { what: 'p99 beside the engine in ms', bound: 'at most', limit: 2, value: p99 }
      : {
          what: 'p99 beside the engine to beside nothing, and it is above 2 ms',
          bound: 'at most',
          limit: 1.5,
          value: ratio(p99, none?.p99Ms),
        },
    {
      what: 'rows/s of the engine beside the load to alone and without rest',
      bound: 'at least',
      limit: 0.25,
      value: ratio(ours?.rowsPerSecond, alone?.rowsPerSecond),
    },
  ]
}
