import { MAX_BASELINE_VALUES, type SignalBaseline } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RunContext } from '../kind/kind.ts'
import { createTimeBuckets, addReading, chooseBucketSize } from '../measure/timeBuckets.ts'
import { readQueryCounters } from '../measure/queryCounters.ts'
import { summarizeTopQueries } from '../measure/querySampling.ts'
import { MIN_VALUES } from '../measure/ratioTest.ts'
import { HISTORY_STEP_SECONDS } from '../measure/readingsSince.ts'
import { summarizeSignal } from '../measure/signalSummary.ts'
import type { SignalHistory } from '../signals/signalHistory.ts'
import type { Signals } from '../signals/signals.ts'
import { createSampling, addRecentReadings, type BaselineMeasurement } from './sampling.ts'

/** Prometheus refuses more than 11,000 steps, and its response must stay below 1 MB. */
const MAX_PROMETHEUS_STEPS = 5_000
const HOUR_MS = 3_600_000

/** Points that a check of the history reads of each signal. */
const CHECK_STEPS = 60

/** Why Prometheus has no history of this length for any signal; null: it has. */
export async function findHistoryFault(
  signals: Signals,
  rollout: string,
  environment: string,
  durationSeconds: number,
): Promise<string | null> {
  const { history } = signals
  if (history === null) return null
  const until = Date.now()
  const queries = [...history.queries(rollout, environment)]
  const read = queries.map(([signal, promql]) =>
    readSignal(history, signal, promql, until - durationSeconds * 1000, until, CHECK_STEPS),
  )
  const summaries = await Promise.all(read)
  return summaries.some(({ unknown }) => unknown === null) ? null : explainNoHistory(summaries, durationSeconds)
}

/** What to do if no signal has a history of this length. */
export function explainNoHistory(signals: readonly SignalBaseline[], seconds: number): string {
  const first = signals[0] ? ` (${signals[0].signal}: ${signals[0].unknown})` : ''
  return `Prometheus does not have ${formatDuration(seconds)} of history for any signal${first}. Use a shorter --duration, or sample from now on with --live.`
}

/** Measures the past from Prometheus. Null: the operation was asked to stop. */
export async function measureFromHistory(
  run: RunContext,
  signals: Signals,
  environment: string,
  durationSeconds: number,
): Promise<BaselineMeasurement | null> {
  const { history, recent } = signals
  if (history === null)
    throw new OperationFailedError(
      'no-history',
      'The agent has no Prometheus. Set STI_PROMETHEUS_URL, or sample with --live.',
    )
  const until = Date.now()
  const from = until - durationSeconds * 1000
  const signalBaselines: SignalBaseline[] = []
  const queries = history.queries(run.rollout.name, environment)
  for (const [signal, promql] of queries) {
    if (run.directive() !== 'continue') return null
    run.setStep(`reading ${signal} (${signalBaselines.length + 1} of ${queries.size})`)
    signalBaselines.push(await readSignal(history, signal, promql, from, until, MAX_PROMETHEUS_STEPS))
  }
  signalBaselines.sort((a, b) => (a.signal < b.signal ? -1 : 1))
  const sampling = createSampling(Math.max(from, until - HOUR_MS), Math.min(until - from, HOUR_MS))
  addRecentReadings(sampling, recent, run.rollout.name, until)
  const sql = run.database.state
  const bucketsWithReadings = Math.max(
    0,
    ...[...sampling.queries.values()].map(({ blocks }) => blocks.counts.filter((n) => n > 0).length),
  )
  const operations = await sql<{ id: bigint; kind: string }[]>`
    select id, kind from sti.operation where rollout = ${run.rollout.name} and writes_table
      and started_at < ${new Date(until)} and coalesce(ended_at, 'infinity') > ${new Date(from)} order by id limit 5`
  return {
    measured: 'history',
    startedAt: new Date(from).toISOString(),
    endedAt: new Date(until).toISOString(),
    signals: signalBaselines,
    queries:
      bucketsWithReadings >= MIN_VALUES
        ? await summarizeTopQueries(sql, sampling.queries)
        : await readQueryCounters(sql),
    notes: [
      bucketsWithReadings >= MIN_VALUES
        ? `Individual queries are from the agent’s own readings of the last ${formatDuration(sampling.durationMs / 1000)}: Prometheus has no history of queries.`
        : 'Individual queries are means since their counters were reset: the agent has not monitored them for long enough.',
      ...operations.map(({ id, kind }) => `${kind} ${id} ran during this time: its load is part of the baseline.`),
    ],
  }
}

async function readSignal(
  history: SignalHistory,
  signal: string,
  promql: string,
  from: number,
  until: number,
  maxSteps: number,
): Promise<SignalBaseline> {
  const stepSeconds = Math.max(HISTORY_STEP_SECONDS, Math.ceil((until - from) / maxSteps / 1000))
  const { stepMs, length } = chooseBucketSize(until - from, stepSeconds * 1000, MAX_BASELINE_VALUES)
  const blocks = createTimeBuckets(from, stepMs, length)
  try {
    for (const reading of await history.readRange(promql, { from, until, stepSeconds })) addReading(blocks, reading)
    return summarizeSignal(signal, blocks, null)
  } catch (error) {
    return summarizeSignal(signal, createTimeBuckets(from, stepMs, length), (error as Error).message.slice(0, 1000))
  }
}
