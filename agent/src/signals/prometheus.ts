import { floatOf } from './exposition.ts'
import { boundedGet } from './fetch.ts'
import type { Reading } from './reading.ts'

export interface PrometheusSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Instant queries against a Prometheus (or what speaks its API), bounded to 3 s. */
export interface Prometheus {
  /** Exactly one series with a number; anything else is unknown, with the reason. */
  one(promql: string, at: number): Promise<Reading<number>>
  /** All series of an instant vector or a scalar; throws with one sentence. */
  all(promql: string): Promise<readonly PrometheusSample[]>
}

export function prometheus(url: string): Prometheus {
  async function all(promql: string): Promise<readonly PrometheusSample[]> {
    const target = new URL(url)
    target.pathname = `${target.pathname.replace(/\/$/, '')}/api/v1/query`
    target.searchParams.set('query', promql)
    const { status, text } = await boundedGet(target.href, { milliseconds: 3_000, bytes: 1_000_000 })
    const answer = parse(text, status)
    if (answer.status !== 'success')
      throw new Error(`Prometheus refused ${promql}: ${answer.error ?? `HTTP ${status}`}`)
    const { resultType, result } = answer.data!
    if (resultType === 'scalar') return [{ labels: {}, value: floatOf((result as [number, string])[1]) }]
    if (resultType !== 'vector') throw new Error(`${promql} gives a ${resultType}: it must give one number`)
    return (result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
      labels: metric,
      value: floatOf(value[1]),
    }))
  }
  return {
    all,
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
