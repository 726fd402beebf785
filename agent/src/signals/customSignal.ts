import { createPoll, type Poll } from './poll.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import type { Reading } from './reading.ts'
import type { RolloutQuery } from './rolloutQuery.ts'
import type { CustomSignal } from './signalConfig.ts'

export interface CustomReading {
  readonly name: string
  /** The signal is unhealthy above it. */
  readonly limit: number
  readonly reading: Reading<number>
}

export interface CustomSignalOptions {
  readonly signal: CustomSignal
  /** On a connection of its own, so that a slow signal does not delay others; null: the signal is PromQL. */
  readonly query: RolloutQuery | null
  readonly prometheus: PrometheusClient | null
  readonly intervalMs: number
  readonly now: () => number
}

/** A custom signal of the rollout file: PromQL that returns one series, or a SELECT that returns one number. */
export function pollCustomSignal({
  signal,
  query,
  prometheus,
  intervalMs,
  now,
}: CustomSignalOptions): Poll<CustomReading> {
  const { name, limit, promql } = signal
  const toCustomReading = (reading: Reading<number>): CustomReading => ({ name, limit, reading })
  return createPoll<CustomReading>({
    intervalMs,
    now,
    unknown: (sentence) => toCustomReading({ unknown: sentence }),
    refresh: async () => toCustomReading(query ? await querySql(query, now()) : await queryPromql(now())),
  })

  async function queryPromql(at: number): Promise<Reading<number>> {
    if (!promql) return { unknown: `signal ${name} has neither promql nor sql` }
    return prometheus
      ? prometheus.queryOne(promql, at)
      : { unknown: 'the agent has no Prometheus: set STI_PROMETHEUS_URL' }
  }

  async function querySql(rolloutQuery: RolloutQuery, at: number): Promise<Reading<number>> {
    const rows = await rolloutQuery.run<Record<string, unknown>>()
    const column = rows.columns[0]?.name
    if (rows.length !== 1 || rows.columns.length !== 1 || column === undefined) {
      return { unknown: `signal ${name} must return one row with one column` }
    }
    const cell = rows[0]![column]
    const value = cell === null ? NaN : Number(cell)
    return Number.isFinite(value) ? { value, at } : { unknown: `signal ${name} does not return a number` }
  }
}
