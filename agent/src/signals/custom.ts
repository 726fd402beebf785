import { poll, type Poll } from './poll.ts'
import type { Probe } from './probe.ts'
import type { Prometheus } from './prometheus.ts'
import type { Reading } from './reading.ts'
import type { CustomSignal } from './watched.ts'

export interface CustomReading {
  readonly name: string
  /** The signal is unhealthy above it. */
  readonly limit: number
  readonly reading: Reading<number>
}

export interface CustomOptions {
  readonly signal: CustomSignal
  /** Of this signal alone, so that a slow one delays no other; read-only, with a time-out. */
  readonly probe: Probe
  readonly prometheus: Prometheus | null
  readonly intervalMs: number
  readonly now: () => number
}

/** A signal of the rollout file itself: PromQL that gives one series, or a SELECT that gives one number. */
export function customSignal({ signal, probe, prometheus, intervalMs, now }: CustomOptions): Poll<CustomReading> {
  const { name, limit, sql: query, promql } = signal
  const of = (reading: Reading<number>): CustomReading => ({ name, limit, reading })
  return poll<CustomReading>({
    intervalMs,
    now,
    unknown: (sentence) => of({ unknown: sentence }),
    refresh: async () => of(query ? await asked(query, now()) : await queried(now())),
  })

  async function queried(at: number): Promise<Reading<number>> {
    if (!promql) return { unknown: `signal ${name} has neither promql nor sql` }
    return prometheus ? prometheus.one(promql, at) : { unknown: 'the agent has no Prometheus: set STI_PROMETHEUS_URL' }
  }

  async function asked(text: string, at: number): Promise<Reading<number>> {
    // Sent as one statement, a text with several is refused by PostgreSQL. The driver's types do not know the option.
    const rows = await probe.ask<Record<string, unknown>[]>((sql) => sql.unsafe(text, [], { simple: false } as object))
    const column = rows.columns[0]?.name
    if (rows.length !== 1 || rows.columns.length !== 1 || column === undefined) {
      return { unknown: `signal ${name} must give one row with one column` }
    }
    const found = rows[0]![column]
    const value = found === null ? NaN : Number(found)
    return Number.isFinite(value) ? { value, at } : { unknown: `signal ${name} gives no number` }
  }
}
