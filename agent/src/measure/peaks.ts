import type { Sql } from '../database/connect.ts'
import { codeOf, isAway } from '../engine/errors.ts'
import type { Log } from '../log.ts'
import type { TimedValue } from '../signals/prometheus.ts'
import type { Recent } from '../signals/recent.ts'

/** What may be used up: of these the highest reading of each hour is kept. */
export const USAGE_SIGNALS = ['host-cpu', 'host-memory', 'host-disk', 'connections'] as const
export type UsageSignal = (typeof USAGE_SIGNALS)[number]

const EVERY_MS = 60_000
const KEPT_DAYS = 90

/**
 * Keeps the highest reading of each hour, once a minute: memory holds an hour, and ends with the agent. Processor time
 * counts as the mean of a minute, since it is often all used for a moment by a machine that has enough of it.
 */
export function keepPeaks(parts: {
  readonly sql: Sql
  readonly recent: Recent
  readonly rollouts: readonly string[]
  readonly log: Log
}): { start(): void; stop(): Promise<void> } {
  const { sql, recent, rollouts, log } = parts
  let keptUntil = Date.now()
  let timer: NodeJS.Timeout | undefined
  let keeping: Promise<void> = Promise.resolve()

  async function keep(): Promise<void> {
    const until = Date.now()
    const peaks = rollouts.flatMap((rollout) =>
      USAGE_SIGNALS.flatMap((signal) => {
        const readings = recent.of(rollout, signal, keptUntil)
        const peak = peakOf(signal, readings)
        return peak ? [{ rollout, signal, value: peak.value, at: new Date(peak.at), readings: readings.length }] : []
      }),
    )
    if (peaks.length === 0) return
    await sql`
      insert into sti.peak (rollout, signal, hour, maximum, reached_at, readings)
      select p.rollout, p.signal, date_trunc('hour', p.at), p.value, p.at, p.readings
      from jsonb_to_recordset(${sql.json(peaks)}::jsonb)
        as p(rollout text, signal text, value double precision, at timestamptz, readings bigint)
      on conflict (rollout, signal, hour) do update set readings = peak.readings + excluded.readings,
        reached_at = case when excluded.maximum > peak.maximum then excluded.reached_at else peak.reached_at end,
        maximum = greatest(peak.maximum, excluded.maximum)`
    await sql`delete from sti.peak where hour < clock_timestamp() - make_interval(days => ${KEPT_DAYS})`
    keptUntil = until
  }

  return {
    start() {
      timer ??= setInterval(() => {
        keeping = keep().catch((error: unknown) => {
          // The next minute keeps it: what was read lately is in memory. 42P01: the state is not there yet.
          if (isAway(error) || codeOf(error) === '42P01') return
          log({ level: 'warning', message: 'peaks could not be kept', error: (error as Error).message })
        })
      }, EVERY_MS).unref()
    },
    async stop() {
      clearInterval(timer)
      await keeping
    },
  }
}

export interface Peak {
  /** The highest value and when it was reached; null: nothing was read. */
  readonly value: number | null
  readonly at: Date | null
  /** The part of the time since then that was read: 0 to 1. */
  readonly covered: number
}

/** How long one reading speaks for: they are taken each five seconds. */
const READING_MS = 5_000

/** The peak since an instant, as far as readings go: what was kept, and what was read since. */
export async function peakSince(
  sql: Sql,
  recent: Recent,
  of: { readonly rollout: string; readonly signal: UsageSignal; readonly since: number },
): Promise<Peak> {
  const { rollout, signal, since } = of
  const [kept] = await sql<{ maximum: number | null; at: Date | null; readings: number }[]>`
    select max(maximum) as maximum, (array_agg(reached_at order by maximum desc))[1] as at,
      coalesce(sum(readings), 0)::float8 as readings
    from sti.peak where rollout = ${rollout} and signal = ${signal} and reached_at >= ${new Date(since)}`
  const lately = recent.of(rollout, signal, since)
  const peak = peakOf(signal, lately)
  const isLate = peak !== null && peak.value >= (kept!.maximum ?? -Infinity)
  const read = READING_MS * Math.max(kept!.readings, lately.length)
  return {
    value: isLate ? peak.value : kept!.maximum,
    at: isLate ? new Date(peak.at) : kept!.at,
    covered: Math.min(1, read / Math.max(READING_MS, Date.now() - since)),
  }
}

function peakOf(signal: UsageSignal, readings: readonly TimedValue[]): TimedValue | null {
  const values = signal === 'host-cpu' ? minutes(readings) : readings
  return values.reduce<TimedValue | null>((high, one) => (high === null || one.value > high.value ? one : high), null)
}

/** The mean of each minute that readings fill; a shorter time is as long as it is. */
function minutes(readings: readonly TimedValue[]): TimedValue[] {
  const found: { at: number; sum: number; count: number; from: number }[] = []
  for (const { at, value } of readings) {
    const last = found.at(-1)
    if (!last || at - last.from >= EVERY_MS) found.push({ at, from: at, sum: value, count: 1 })
    else Object.assign(last, { at, sum: last.sum + value, count: last.count + 1 })
  }
  // A last part of some seconds is no minute.
  const whole = found.filter(({ at, from }) => at - from >= EVERY_MS / 2)
  return (whole.length > 0 ? whole : found).map(({ at, sum, count }) => ({ at, value: sum / count }))
}
