import type { MethodResult } from './measureMethod.ts'
import { median, relativeSpread } from './statistics.ts'
import type { MajorityPercent } from './benchTable.ts'

/** Medians of several runs of one method, and the spread of its rows/s. */
export interface RepeatedRuns {
  readonly median: MethodResult
  readonly spread: number
  readonly runs: number
  readonly shares: MajorityPercent
}

export function summarizeRuns(runs: readonly MethodResult[], shares: MajorityPercent): RepeatedRuns {
  const medianOf = (pick: (one: MethodResult) => number): number => median(runs.map(pick))
  const [first] = runs
  if (first === undefined) throw new Error('nothing was measured')
  return {
    median: {
      method: first.method,
      workers: first.workers,
      rows: first.rows,
      rowsPerSecond: Math.round(medianOf((one) => one.rowsPerSecond)),
      walBytesPerRow: Math.round(medianOf((one) => one.walBytesPerRow)),
      heapGrowthBytes: Math.round(medianOf((one) => one.heapGrowthBytes)),
      indexGrowthBytes: Math.round(medianOf((one) => one.indexGrowthBytes)),
      hotRatio: medianOf((one) => one.hotRatio),
      seconds: medianOf((one) => one.seconds),
      ...(first.agentRssBytes === undefined ? {} : { agentRssBytes: medianOf((one) => one.agentRssBytes ?? NaN) }),
    },
    spread: relativeSpread(runs.map((one) => one.rowsPerSecond)),
    runs: runs.length,
    shares,
  }
}
