import { formatBytes, formatCount, formatPercent } from '../agent/src/format/format.ts'
import { markdownTable } from './format.ts'
import type { RepeatedRuns } from './repeatedRuns.ts'

/** Table of all methods, with ratios to single-update of the same run. */
export function resultsTable(results: readonly RepeatedRuns[]): string {
  const single = results.find((one) => one.median.method === 'single-update')?.median
  const ratio = (value: number, to: number | undefined): string => (to === undefined ? '-' : (value / to).toFixed(2))
  const several = results.some((one) => one.runs > 1)
  return markdownTable(
    [
      ...['method', 'workers', 'most common type', 'rows/s', 'ratio'],
      ...(several ? ['spread'] : []),
      ...['WAL bytes/row', 'ratio', 'heap +', 'indexes +', 'ratio', 'HOT', 'agent memory'],
    ],
    results.map(({ median: one, shares, spread }) => [
      ...[one.method, String(one.workers), `${shares}%`],
      ...[formatCount(Math.round(one.rowsPerSecond)), ratio(one.rowsPerSecond, single?.rowsPerSecond)],
      ...(several ? [formatPercent(spread)] : []),
      ...[formatCount(Math.round(one.walBytesPerRow)), ratio(one.walBytesPerRow, single?.walBytesPerRow)],
      ...[formatBytes(one.heapGrowthBytes), formatBytes(one.indexGrowthBytes)],
      ratio(one.heapGrowthBytes + one.indexGrowthBytes, single && single.heapGrowthBytes + single.indexGrowthBytes),
      formatPercent(one.hotRatio),
      one.agentRssBytes === undefined ? '-' : formatBytes(one.agentRssBytes),
    ]),
  )
}

export const RESULTS_NOTES = `Ratios are to single-update of this run, which writes every row and so is the reference for every share of types. The last
ratio is the growth of heap and indexes together. The engine runs with trigger, throttle, checkpoints, and final sweep.
`
