import { setTimeout as delay } from 'node:timers/promises'
import { isAway } from '../engine/errors.ts'
import type { Run } from '../engine/kind.ts'
import { keptQueries } from '../measure/queries.ts'
import { summaryOf } from '../measure/summary.ts'
import type { Signals } from '../signals/signals.ts'
import type { Taken } from './baseline.ts'
import { createSampling, fromKept, takeRecent, toKept, type KeptSampling, type Sampling } from './sampling.ts'

const TURN_MS = 500
const KEEP_MS = 30_000

/**
 * Samples from now on, or goes on where it stood before a pause or a crash: what was missed then is a gap. Null: it was
 * asked to stop.
 */
export async function sampleLive(run: Run, signals: Signals, durationSeconds: number): Promise<Taken | null> {
  const sampling = await begin(run, durationSeconds * 1000)
  const endsAt = sampling.startedAt + sampling.durationMs
  let keptAt = performance.now()
  for (;;) {
    const now = Date.now()
    takeRecent(sampling, signals.recent, run.rollout.name, Math.min(now, endsAt))
    report(run, sampling, now)
    if (now >= endsAt) break
    if (run.asked() !== 'go-on') {
      await keep(run, sampling)
      return null
    }
    if (performance.now() - keptAt > KEEP_MS) {
      await keep(run, sampling)
      keptAt = performance.now()
    }
    await delay(Math.min(TURN_MS, endsAt - now))
  }
  const missing = whyMissing(signals, run.rollout.name)
  const names = [...new Set([...sampling.signals.keys(), ...missing.keys()])].sort()
  const empty = { startedAt: sampling.startedAt, stepMs: 5_000, sums: [0], counts: [0] }
  return {
    measured: 'live',
    startedAt: new Date(sampling.startedAt).toISOString(),
    endedAt: new Date(endsAt).toISOString(),
    signals: names.map((name) => summaryOf(name, sampling.signals.get(name) ?? empty, missing.get(name) ?? null)),
    queries: await keptQueries(run.database.state, sampling.queries),
    notes: sampling.queries.size === 0 ? ['No query was seen: pg_stat_statements is missing, or nothing ran.'] : [],
  }
}

/** The reasons of the signals that are not known now. */
function whyMissing(signals: Signals, rollout: string): Map<string, string> {
  return new Map(
    signals.numbers(rollout).flatMap(([name, reading]) => ('unknown' in reading ? [[name, reading.unknown]] : [])),
  )
}

async function begin(run: Run, durationMs: number): Promise<Sampling> {
  const sql = run.database.state
  const [before] = await sql<{ started_at: Date; sampled: KeptSampling }[]>`
    select started_at, sampled from sti.baseline_sampling where operation_id = ${run.operation.id}`
  if (before) return fromKept(before.started_at.getTime(), before.sampled)
  // Milliseconds only: what is kept must be found again where it was.
  const sampling = createSampling(Date.now(), durationMs)
  await keep(run, sampling)
  return sampling
}

async function keep(run: Run, sampling: Sampling): Promise<void> {
  const sql = run.database.state
  try {
    await sql`
      insert into sti.baseline_sampling (operation_id, started_at, sampled)
      values (${run.operation.id}, ${new Date(sampling.startedAt)}, ${sql.json(toKept(sampling) as never)})
      on conflict (operation_id) do update set sampled = excluded.sampled`
  } catch (error) {
    // It goes on in memory; the next time everything is kept again.
    if (!isAway(error)) throw error
  }
}

function report(run: Run, { startedAt, durationMs }: Sampling, now: number): void {
  const [passed, all] = [Math.min(durationMs, now - startedAt) / 1000, durationMs / 1000]
  run.step('sampling every signal')
  run.progress({
    processedRows: Math.floor(passed),
    writtenRows: 0,
    failedRows: 0,
    totalRows: all,
    unit: 'seconds',
    ratio: Math.floor((passed * 10_000) / all) / 10_000,
    rowsPerSecond: null,
    remainingSeconds: Math.max(0, all - passed),
    batchRows: null,
    batchSeconds: null,
    throttled: null,
    retries: {},
  })
}
