import { BASELINE_VALUES, type SignalBaseline } from '../contract/index.ts'
import { OperationFailure } from '../engine/errors.ts'
import type { Run } from '../engine/kind.ts'
import { createBlocks, put, stepFor } from '../measure/blocks.ts'
import { countedQueries } from '../measure/counters.ts'
import { keptQueries } from '../measure/queries.ts'
import { ENOUGH } from '../measure/ratioTest.ts'
import { HISTORY_STEP_SECONDS } from '../measure/now.ts'
import { summaryOf } from '../measure/summary.ts'
import type { History } from '../signals/history.ts'
import type { Signals } from '../signals/signals.ts'
import type { Taken } from './baseline.ts'
import { createSampling, takeRecent } from './sampling.ts'

/** Prometheus refuses more than 11,000 steps, and its answer must stay below a megabyte. */
const MOST_STEPS = 5_000
const AN_HOUR_MS = 3_600_000

/** Reads what Prometheus knows of the time until now. Null: it was asked to stop. */
export async function readHistory(
  run: Run,
  signals: Signals,
  environment: string,
  durationSeconds: number,
): Promise<Taken | null> {
  const { history, recent } = signals
  if (history === null) throw new OperationFailure('no-history', 'The agent has no Prometheus: sample with --live.')
  const until = Date.now()
  const from = until - durationSeconds * 1000
  const taken: SignalBaseline[] = []
  const queries = history.queries(run.rollout.name, environment)
  for (const [signal, promql] of queries) {
    if (run.asked() !== 'go-on') return null
    run.step(`reading ${signal}, ${taken.length + 1} of ${queries.size}`)
    taken.push(await readSignal(history, signal, promql, from, until))
  }
  taken.sort((a, b) => (a.signal < b.signal ? -1 : 1))
  const own = createSampling(Math.max(from, until - AN_HOUR_MS), Math.min(until - from, AN_HOUR_MS))
  takeRecent(own, recent, run.rollout.name, until)
  const sql = run.database.state
  const seen = Math.max(0, ...[...own.queries.values()].map(({ blocks }) => blocks.counts.filter((n) => n > 0).length))
  const operations = await sql<{ id: bigint; kind: string }[]>`
    select id, kind from sti.operation where rollout = ${run.rollout.name} and writes_table
      and started_at < ${new Date(until)} and coalesce(ended_at, 'infinity') > ${new Date(from)} order by id limit 5`
  return {
    measured: 'history',
    startedAt: new Date(from).toISOString(),
    endedAt: new Date(until).toISOString(),
    signals: taken,
    queries: seen >= ENOUGH ? await keptQueries(sql, own.queries) : await countedQueries(sql),
    notes: [
      seen >= ENOUGH
        ? `Single queries are as the agent saw them in the last ${Math.round(own.durationMs / 60_000)} min: Prometheus has no history of them.`
        : 'Single queries are means since their counters began: the agent has not watched them for long enough.',
      ...operations.map(({ id, kind }) => `${kind} ${id} ran in this time: its load is part of the baseline.`),
    ],
  }
}

async function readSignal(
  history: History,
  signal: string,
  promql: string,
  from: number,
  until: number,
): Promise<SignalBaseline> {
  const stepSeconds = Math.max(HISTORY_STEP_SECONDS, Math.ceil((until - from) / MOST_STEPS / 1000))
  const { stepMs, length } = stepFor(until - from, stepSeconds * 1000, BASELINE_VALUES)
  const blocks = createBlocks(from, stepMs, length)
  try {
    for (const reading of await history.read(promql, { from, until, stepSeconds })) put(blocks, reading)
    return summaryOf(signal, blocks, null)
  } catch (error) {
    return summaryOf(signal, createBlocks(from, stepMs, length), (error as Error).message.slice(0, 1000))
  }
}
