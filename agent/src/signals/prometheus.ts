import { floatOf } from './exposition.ts'
import { boundedGet } from './fetch.ts'
import type { Reading } from './reading.ts'

export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Queries against a Prometheus (or what speaks its API): instant ones bounded to 3 s, ranges to 15 s. */
export interface Prometheus {
  /** Exactly one series with a number; anything else is unknown, with the reason. */
  one(promql: string, at: number): Promise<Reading<number>>
  /** All series of an instant vector or a scalar; throws with one sentence. */
  all(promql: string): Promise<readonly PrometheusSample[]>
  /** One series over time, each `stepSeconds`; where there is none, or NaN, there is no sample. Throws with one sentence. */
  range(promql: string, over: Range): Promise<readonly TimedValue[]>
}

/** Milliseconds since 1970, and seconds. At most 11,000 steps: Prometheus refuses more. */
export interface Range {
  readonly from: number
  readonly until: number
  readonly stepSeconds: number
}

export interface TimedValue {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly value: number
}

export function prometheus(url: string): Prometheus {
  async function ask(
    address: 'query' | 'query_range',
    promql: string,
    parameters: Record<string, string>,
    milliseconds: number,
  ): Promise<NonNullable<Answer['data']>> {
    const target = new URL(url)
    target.pathname = `${target.pathname.replace(/\/$/, '')}/api/v1/${address}`
    for (const [name, value] of Object.entries({ query: promql, ...parameters })) target.searchParams.set(name, value)
    const { status, text } = await boundedGet(target.href, { milliseconds, bytes: 1_000_000 })
    const answer = parse(text, status)
    if (answer.status !== 'success')
      throw new Error(`Prometheus refused ${promql}: ${answer.error ?? `HTTP ${status}`}`)
    return answer.data!
  }

  async function all(promql: string): Promise<readonly PrometheusSample[]> {
    const { resultType, result } = await ask('query', promql, {}, 3_000)
    if (resultType === 'scalar') return [{ labels: {}, value: floatOf((result as [number, string])[1]) }]
    if (resultType !== 'vector') throw new Error(`${promql} gives a ${resultType}: it must give one number`)
    return (result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
      labels: metric,
      value: floatOf(value[1]),
    }))
  }
  return {
    all,
    async range(promql, { from, until, stepSeconds }) {
      const over = { start: String(from / 1000), end: String(until / 1000), step: String(stepSeconds) }
      const { result } = await ask('query_range', promql, over, 15_000)
      const series = result as { values: [number, string][] }[]
      if (series.length > 1) throw new Error(`${promql} gives ${series.length} series: it must give one`)
      return (series[0]?.values ?? [])
        .map(([seconds, value]) => ({ at: seconds * 1000, value: floatOf(value) }))
        .filter(({ value }) => Number.isFinite(value))
    },
    async one(promql, at) {
      try {
        const samples = await all(promql)
        if (samples.length === 0) return { unknown: `${promql} gives no series` }
        if (samples.length > 1) return { unknown: `${promql} gives ${samples.length} series: it must give one` }
        const { value } = samples[0]!
        return Number.isFinite(value) ? { value, at } : { unknown: `${promql} gives ${value}` }
      } catch (error) {
        return { unknown: (error as Error).message }
      }
    },
  }
}

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly resultType: string; readonly result: unknown }
}

function parse(text: string, status: number): Answer {
  try {
    return JSON.parse(text) as Answer
  } catch {
    throw new Error(`Prometheus answered HTTP ${status} without JSON: check its address`)
  }
}
