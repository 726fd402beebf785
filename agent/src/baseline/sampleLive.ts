import { setTimeout as delay } from 'node:timers/promises'
import { isConnectionError } from '../database/errors.ts'
import type { RunContext } from '../kind/kind.ts'
import { summarizeTopQueries } from '../measure/querySampling.ts'
import { summarizeSignal } from '../measure/signalSummary.ts'
import type { Signals } from '../signals/signals.ts'
import {
  createSampling,
  deserializeSampling,
  addRecentReadings,
  serializeSampling,
  type BaselineMeasurement,
  type SavedSampling,
  type Sampling,
} from './sampling.ts'

const POLL_INTERVAL_MS = 500
const SAVE_INTERVAL_MS = 30_000

/**
 * Samples from now on, or resumes after a pause or a crash, which leaves a gap. Null: the operation was asked to
 * stop.
 */
export async function sampleLive(
  run: RunContext,
  signals: Signals,
  durationSeconds: number,
): Promise<BaselineMeasurement | null> {
  const sampling = await resumeOrStartSampling(run, durationSeconds * 1000)
  const endsAt = sampling.startedAt + sampling.durationMs
  let savedAt = performance.now()
  for (;;) {
    const now = Date.now()
    addRecentReadings(sampling, signals.recent, run.rollout.name, Math.min(now, endsAt))
    reportProgress(run, sampling, now)
    if (now >= endsAt) break
    if (run.directive() !== 'continue') {
      await saveSampling(run, sampling)
      return null
    }
    if (performance.now() - savedAt > SAVE_INTERVAL_MS) {
      await saveSampling(run, sampling)
      savedAt = performance.now()
    }
    await delay(Math.min(POLL_INTERVAL_MS, endsAt - now))
  }
  const missing = listMissingReasons(signals, run.rollout.name)
  const names = [...new Set([...sampling.signals.keys(), ...missing.keys()])].sort()
  const empty = { startedAt: sampling.startedAt, stepMs: 5_000, sums: [0], counts: [0] }
  return {
    measured: 'live',
    startedAt: new Date(sampling.startedAt).toISOString(),
    endedAt: new Date(endsAt).toISOString(),
    signals: names.map((name) => summarizeSignal(name, sampling.signals.get(name) ?? empty, missing.get(name) ?? null)),
    queries: await summarizeTopQueries(run.database.state, sampling.queries),
    notes:
      sampling.queries.size === 0 ? ['No queries were observed: pg_stat_statements is missing, or no query ran.'] : [],
  }
}

/** The reasons why signals are unknown now, by signal. */
function listMissingReasons(signals: Signals, rollout: string): Map<string, string> {
  return new Map(
    signals.values(rollout).flatMap(([name, reading]) => ('unknown' in reading ? [[name, reading.unknown]] : [])),
  )
}

async function resumeOrStartSampling(run: RunContext, durationMs: number): Promise<Sampling> {
  const sql = run.database.state
  const [saved] = await sql<{ started_at: Date; samples: SavedSampling }[]>`
    select started_at, samples from sti.baseline_sampling where operation_id = ${run.operation.id}`
  if (saved) return deserializeSampling(saved.started_at.getTime(), saved.samples)
  // Date.now() has whole milliseconds, so the stored start equals the one in memory.
  const sampling = createSampling(Date.now(), durationMs)
  await saveSampling(run, sampling)
  return sampling
}

async function saveSampling(run: RunContext, sampling: Sampling): Promise<void> {
  const sql = run.database.state
  try {
    await sql`
      insert into sti.baseline_sampling (operation_id, started_at, samples)
      values (${run.operation.id}, ${new Date(sampling.startedAt)}, ${sql.json(serializeSampling(sampling) as never)})
      on conflict (operation_id) do update set samples = excluded.samples`
  } catch (error) {
    // Sampling continues in memory, and the next save includes everything.
    if (!isConnectionError(error)) throw error
  }
}

function reportProgress(run: RunContext, { startedAt, durationMs }: Sampling, now: number): void {
  const [elapsedSeconds, totalSeconds] = [Math.min(durationMs, now - startedAt) / 1000, durationMs / 1000]
  run.setStep('sampling every signal')
  run.reportProgress({
    processedRows: Math.floor(elapsedSeconds),
    writtenRows: 0,
    failedRows: 0,
    totalRows: totalSeconds,
    unit: 'seconds',
    ratio: Math.floor((elapsedSeconds * 10_000) / totalSeconds) / 10_000,
    rowsPerSecond: null,
    remainingSeconds: Math.max(0, totalSeconds - elapsedSeconds),
    batchRows: null,
    batchSeconds: null,
    throttled: null,
    retries: {},
  })
}
