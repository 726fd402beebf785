import { joinUrl } from '../format/url.ts'
import { parsePrometheusNumber } from './exposition.ts'
import { boundedGet } from '../boundedGet.ts'
import type { Reading } from './reading.ts'

export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Queries a Prometheus server or a compatible API: instant queries are bounded to 3 s, range queries to 15 s. */
export interface PrometheusClient {
  /** The number of exactly one series; anything else is unknown, with the reason. */
  queryOne(promql: string, at: number): Promise<Reading<number>>
  /** All series of an instant vector or a scalar, now or at a time. @throws Error with one sentence */
  queryAll(promql: string, at?: number): Promise<readonly PrometheusSample[]>
  /** One series over time, every `stepSeconds`; no sample where it is absent or NaN. @throws Error with one sentence */
  queryRange(promql: string, over: QueryRange): Promise<readonly TimedValue[]>
}

/** From and until in milliseconds since 1970, the step in seconds. Prometheus refuses more than 11,000 steps. */
export interface QueryRange {
  readonly from: number
  readonly until: number
  readonly stepSeconds: number
}

export interface TimedValue {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly value: number
}

export function createPrometheusClient(url: string): PrometheusClient {
  async function request(
    endpoint: 'query' | 'query_range',
    promql: string,
    parameters: Record<string, string>,
    milliseconds: number,
  ): Promise<NonNullable<PrometheusResponse['data']>> {
    const target = joinUrl(url, `/api/v1/${endpoint}`, { query: promql, ...parameters })
    const { status, text } = await boundedGet(target, { milliseconds, bytes: 1_000_000 })
    const response = parseResponse(text, status)
    if (response.status !== 'success')
      throw new Error(`Prometheus refused ${promql}: ${response.error ?? `HTTP ${status}`}`)
    return response.data!
  }

  async function queryAll(promql: string, at?: number): Promise<readonly PrometheusSample[]> {
    const time: Record<string, string> = at === undefined ? {} : { time: String(at / 1000) }
    const { resultType, result } = await request('query', promql, time, 3_000)
    if (resultType === 'scalar') return [{ labels: {}, value: parsePrometheusNumber((result as [number, string])[1]) }]
    if (resultType !== 'vector') throw new Error(`${promql} returns a ${resultType}: it must return one number`)
    return (result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
      labels: metric,
      value: parsePrometheusNumber(value[1]),
    }))
  }
  return {
    queryAll,
    async queryRange(promql, { from, until, stepSeconds }) {
      const over = { start: String(from / 1000), end: String(until / 1000), step: String(stepSeconds) }
      const { result } = await request('query_range', promql, over, 15_000)
      const series = result as { values: [number, string][] }[]
      if (series.length > 1) throw new Error(`${promql} returns ${series.length} series: it must return one`)
      return (series[0]?.values ?? [])
        .map(([seconds, value]) => ({ at: seconds * 1000, value: parsePrometheusNumber(value) }))
        .filter(({ value }) => Number.isFinite(value))
    },
    async queryOne(promql, at) {
      try {
        const samples = await queryAll(promql)
        if (samples.length === 0) return { unknown: `${promql} returns no series` }
        if (samples.length > 1) return { unknown: `${promql} returns ${samples.length} series: it must return one` }
        const { value } = samples[0]!
        return Number.isFinite(value) ? { value, at } : { unknown: `${promql} returns ${value}` }
      } catch (error) {
        return { unknown: (error as Error).message }
      }
    },
  }
}

interface PrometheusResponse {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly resultType: string; readonly result: unknown }
}

function parseResponse(text: string, status: number): PrometheusResponse {
  try {
    return JSON.parse(text) as PrometheusResponse
  } catch {
    throw new Error(`Prometheus answered HTTP ${status} without JSON: check its URL`)
  }
}
