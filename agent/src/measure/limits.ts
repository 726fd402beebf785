import type { RolloutFile } from '../rollout/file.ts'
import type { Limit } from './ratioTest.ts'

type LimitsOfFile = Pick<RolloutFile, 'limits' | 'signals'>

/** What a signal may reach against its baseline, of those that are judged against one. */
export function limitAgainstBaseline({ limits }: LimitsOfFile, signal: string): Limit | null {
  switch (signal) {
    case 'api-latency-average':
    case 'api-latency-p95':
      return { ratio: 1 + limits.apiLatencyIncrease, side: 'at most' }
    case 'api-request-rate':
      return { ratio: Math.max(0, 1 - limits.apiLatencyIncrease), side: 'at least' }
    case 'query-time':
      return { ratio: 1 + limits.queryTimeIncrease, side: 'at most' }
    default:
      return null
  }
}

/** What a signal may be, in its own unit. */
export interface ValueLimit {
  readonly value: number
  readonly side: Limit['side']
}

/** Every limit that can be told now: those against a baseline need its means. */
export function valueLimits(file: LimitsOfFile, means: ReadonlyMap<string, number>): Map<string, ValueLimit> {
  const { resourceUsage, errorRatio } = file.limits
  const found = new Map<string, ValueLimit>([
    ...(['host-cpu', 'host-memory', 'host-disk', 'connections'] as const).map((signal): [string, ValueLimit] => [
      signal,
      { value: resourceUsage, side: 'at most' },
    ]),
    ['api-error-ratio', { value: errorRatio, side: 'at most' }],
  ])
  for (const [signal, mean] of means) {
    const limit = limitAgainstBaseline(file, signal)
    if (limit !== null) found.set(signal, { value: limit.ratio * mean, side: limit.side })
  }
  for (const { name, limit } of file.signals) if (!found.has(name)) found.set(name, { value: limit, side: 'at most' })
  return found
}
