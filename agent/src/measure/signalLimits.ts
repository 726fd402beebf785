import type { RolloutFile } from '../rollout/rolloutFile.ts'
import type { RatioLimit } from './ratioTest.ts'

type FileLimits = Pick<RolloutFile, 'limits' | 'signals'>

/** The limit of a signal relative to its baseline; null: the signal has no such limit. */
export function findBaselineLimit({ limits }: FileLimits, signal: string): RatioLimit | null {
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

/** The limit of a signal, in its own unit. */
export interface SignalLimit {
  readonly value: number
  readonly side: RatioLimit['side']
}

/** Every limit that is known now; limits relative to a baseline need its means. */
export function listSignalLimits(file: FileLimits, means: ReadonlyMap<string, number>): Map<string, SignalLimit> {
  const { resourceUsage, errorRatio } = file.limits
  const limitsBySignal = new Map<string, SignalLimit>([
    ...(['host-cpu', 'host-memory', 'host-disk', 'connections'] as const).map((signal): [string, SignalLimit] => [
      signal,
      { value: resourceUsage, side: 'at most' },
    ]),
    ['api-error-ratio', { value: errorRatio, side: 'at most' }],
  ])
  for (const [signal, mean] of means) {
    const limit = findBaselineLimit(file, signal)
    if (limit !== null) limitsBySignal.set(signal, { value: limit.ratio * mean, side: limit.side })
  }
  for (const { name, limit } of file.signals)
    if (!limitsBySignal.has(name)) limitsBySignal.set(name, { value: limit, side: 'at most' })
  return limitsBySignal
}
