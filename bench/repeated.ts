import type { Measured } from './measure.ts'
import { middle, spread } from './median.ts'
import type { Shares } from './table.ts'

/** The medians of several runs of one method, and how far its rows/s lay apart. */
export interface Repeated {
  readonly median: Measured
  readonly spread: number
  readonly runs: number
  readonly shares: Shares
}

export function repeated(runs: readonly Measured[], shares: Shares): Repeated {
  const of = (pick: (one: Measured) => number): number => middle(runs.map(pick))
  const [first] = runs
  if (first === undefined) throw new Error('nothing was measured')
  return {
    median: {
      method: first.method,
      workers: first.workers,
      rows: first.rows,
      rowsPerSecond: Math.round(of((one) => one.rowsPerSecond)),
      walBytesPerRow: Math.round(of((one) => one.walBytesPerRow)),
      heapGrowthBytes: Math.round(of((one) => one.heapGrowthBytes)),
      indexGrowthBytes: Math.round(of((one) => one.indexGrowthBytes)),
      hotRatio: of((one) => one.hotRatio),
      seconds: of((one) => one.seconds),
      ...(first.agentRssBytes === undefined ? {} : { agentRssBytes: of((one) => one.agentRssBytes ?? NaN) }),
    },
    spread: spread(runs.map((one) => one.rowsPerSecond)),
    runs: runs.length,
    shares,
  }
}
