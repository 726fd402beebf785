import type { Sql } from '../database/connect.ts'
import { errorCode, errorMessage, isConnectionError } from '../database/errors.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { TimedValue } from '../signals/prometheusClient.ts'
import type { RecentReadings } from '../signals/readingBuffer.ts'

/** Signals of limited resources: the highest reading of each hour, before and since an expand, is stored. */
export const USAGE_SIGNALS = ['host-cpu', 'host-memory', 'host-disk', 'connections'] as const
export type UsageSignal = (typeof USAGE_SIGNALS)[number]

const RECORD_INTERVAL_MS = 60_000
const RETENTION_DAYS = 90
const HOUR_MS = 3_600_000

/**
 * Stores the highest reading of each hour, once a minute: memory holds one hour and is lost when the agent stops. CPU
 * usage counts as the mean of a minute, because a machine with enough capacity is often fully used for a moment.
 */
export function createPeakRecorder(dependencies: {
  readonly sql: Sql
  readonly recent: RecentReadings
  readonly rollouts: readonly string[]
  readonly log: Log
}): { start(): void; stop(): Promise<void> } {
  const { sql, recent, rollouts, log } = dependencies
  let recordedUntil = Date.now()

  async function recordPeaks(): Promise<void> {
    const until = Date.now()
    await recordUsagePeaks({ sql, recent, rollouts }, recordedUntil)
    recordedUntil = until
  }

  return createInterval({
    intervalMs: RECORD_INTERVAL_MS,
    delayFirstRun: true,
    run: recordPeaks,
    onError(error) {
      // The readings are still in memory, so the next run saves them. 42P01: the schema does not exist yet.
      if (isConnectionError(error) || errorCode(error) === '42P01') return
      log({ level: 'warning', message: 'The usage peaks were not saved.', error: errorMessage(error) })
    },
  })
}

/**
 * Stores the peaks of the readings after an instant. A check asks for the peak since an expand, so that the hour of an
 * expand has two peaks: a higher reading before it does not replace those that follow.
 */
export async function recordUsagePeaks(
  {
    sql,
    recent,
    rollouts,
  }: { readonly sql: Sql; readonly recent: RecentReadings; readonly rollouts: readonly string[] },
  after: number,
): Promise<void> {
  const expands = await sql<{ rollout: string; at: Date }[]>`
    select rollout, max(started_at) as at from sti.operation where kind = 'expand' and started_at is not null
    group by rollout`
  const startOf = (rollout: string, at: number): number => {
    const hour = at - (at % HOUR_MS)
    const expand = expands.find((row) => row.rollout === rollout)?.at.getTime() ?? hour
    return expand > hour && expand <= at ? expand : hour
  }
  const peaks = rollouts.flatMap((rollout) =>
    USAGE_SIGNALS.flatMap((signal) => {
      const readings = recent.readings(rollout, signal, after)
      const starts = [...new Set(readings.map(({ at }) => startOf(rollout, at)))]
      return starts.flatMap((start) => {
        const own = readings.filter(({ at }) => startOf(rollout, at) === start)
        const peak = findPeak(signal, own)
        const bucket = { rollout, signal, start: new Date(start), readings: own.length }
        return peak ? [{ ...bucket, value: peak.value, at: new Date(peak.at) }] : []
      })
    }),
  )
  if (peaks.length === 0) return
  await sql`
    insert into sti.usage_peak as u (rollout, signal, starts_at, maximum, reached_at, reading_count)
    select p.rollout, p.signal, p.start, p.value, p.at, p.readings
    from jsonb_to_recordset(${sql.json(peaks)}::jsonb)
      as p(rollout text, signal text, start timestamptz, value double precision, at timestamptz, readings bigint)
    on conflict (rollout, signal, starts_at) do update set reading_count = u.reading_count + excluded.reading_count,
      reached_at = case when excluded.maximum > u.maximum then excluded.reached_at else u.reached_at end,
      maximum = greatest(u.maximum, excluded.maximum)`
  await sql`delete from sti.usage_peak where starts_at < clock_timestamp() - make_interval(days => ${RETENTION_DAYS})`
}

export interface Peak {
  /** The highest value; null: nothing was read. */
  readonly value: number | null
  readonly at: Date | null
  /** The share of the time since then that was read, 0 to 1. */
  readonly coveredRatio: number
}

/** The time that one reading covers. */
const READING_INTERVAL_MS = 5_000

/** The peak since an instant, from stored and recent readings. */
export async function readPeakSince(
  sql: Sql,
  recent: RecentReadings,
  query: { readonly rollout: string; readonly signal: UsageSignal; readonly since: number },
): Promise<Peak> {
  const { rollout, signal, since } = query
  const [recorded] = await sql<{ maximum: number | null; at: Date | null; readings: number }[]>`
    select max(maximum) as maximum, (array_agg(reached_at order by maximum desc))[1] as at,
      coalesce(sum(reading_count), 0)::float8 as readings
    from sti.usage_peak where rollout = ${rollout} and signal = ${signal} and reached_at >= ${new Date(since)}`
  const recentReadings = recent.readings(rollout, signal, since)
  const peak = findPeak(signal, recentReadings)
  const isRecent = peak !== null && peak.value >= (recorded!.maximum ?? -Infinity)
  const coveredMs = READING_INTERVAL_MS * Math.max(recorded!.readings, recentReadings.length)
  return {
    value: isRecent ? peak.value : recorded!.maximum,
    at: isRecent ? new Date(peak.at) : recorded!.at,
    coveredRatio: Math.min(1, coveredMs / Math.max(READING_INTERVAL_MS, Date.now() - since)),
  }
}

function findPeak(signal: UsageSignal, readings: readonly TimedValue[]): TimedValue | null {
  const values = signal === 'host-cpu' ? averageByMinute(readings) : readings
  return values.reduce<TimedValue | null>(
    (highest, reading) => (highest === null || reading.value > highest.value ? reading : highest),
    null,
  )
}

/** The mean of each minute of readings. */
function averageByMinute(readings: readonly TimedValue[]): TimedValue[] {
  const buckets: { at: number; sum: number; count: number; from: number }[] = []
  for (const { at, value } of readings) {
    const last = buckets.at(-1)
    if (!last || at - last.from >= RECORD_INTERVAL_MS) buckets.push({ at, from: at, sum: value, count: 1 })
    else Object.assign(last, { at, sum: last.sum + value, count: last.count + 1 })
  }
  // A last bucket of a few seconds does not count as a minute.
  const fullBuckets = buckets.filter(({ at, from }) => at - from >= RECORD_INTERVAL_MS / 2)
  return (fullBuckets.length > 0 ? fullBuckets : buckets).map(({ at, sum, count }) => ({ at, value: sum / count }))
}
