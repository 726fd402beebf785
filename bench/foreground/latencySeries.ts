import type { LatencySeries } from '../chart/latencyPanels.ts'
import type { ScenarioRun } from './observeScenario.ts'
import { percentile } from './percentile.ts'

/** One run by seconds. The incomplete last second is merged into the one before. */
export function toLatencySeries(title: string, { seconds, requests }: ScenarioRun): LatencySeries {
  const parts = Math.max(1, Math.floor(seconds))
  const buckets = Array.from({ length: parts }, (): number[] => [])
  for (const { at, milliseconds } of requests) buckets[Math.min(parts - 1, Math.floor(at))]!.push(milliseconds)
  const filled = buckets.flatMap((values, n) => (values.length === 0 ? [] : [{ values, second: n + 0.5 }]))
  const all = requests.map((one) => one.milliseconds)
  const figure = (p: number): string => {
    const value = percentile(all, p)
    return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`
  }
  return {
    title,
    remark: `p50 ${figure(0.5)}, p95 ${figure(0.95)}, p99 ${figure(0.99)}, max ${figure(1)}`,
    seconds: filled.map((one) => one.second),
    p50: filled.map((one) => percentile(one.values, 0.5)),
    p99: filled.map((one) => percentile(one.values, 0.99)),
  }
}
