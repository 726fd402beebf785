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
  const medianOf = (pick: (run: MethodResult) => number): number => median(runs.map(pick))
  const [first] = runs
  if (first === undefined) throw new Error('nothing was measured')
  return {
    median: {
      method: first.method,
      workers: first.workers,
      rows: first.rows,
      rowsPerSecond: Math.round(medianOf((run) => run.rowsPerSecond)),
      walBytesPerRow: Math.round(medianOf((run) => run.walBytesPerRow)),
      heapGrowthBytes: Math.round(medianOf((run) => run.heapGrowthBytes)),
      indexGrowthBytes: Math.round(medianOf((run) => run.indexGrowthBytes)),
      hotRatio: medianOf((run) => run.hotRatio),
      seconds: medianOf((run) => run.seconds),
      ...(first.agentRssBytes === undefined ? {} : { agentRssBytes: medianOf((run) => run.agentRssBytes ?? NaN) }),
    },
    spread: relativeSpread(runs.map((run) => run.rowsPerSecond)),
    runs: runs.length,
    shares,
  }
}
