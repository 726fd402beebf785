import { formatBytes, formatCount, formatPercent } from '../agent/src/format/format.ts'
import { markdownTable } from './format.ts'
import type { RepeatedRuns } from './repeatedRuns.ts'

/** Table of all methods, with ratios to single-update of the same run. */
export function resultsTable(results: readonly RepeatedRuns[]): string {
  const single = results.find((result) => result.median.method === 'single-update')?.median
  const ratio = (value: number, to: number | undefined): string => (to === undefined ? '-' : (value / to).toFixed(2))
  const several = results.some((result) => result.runs > 1)
  return markdownTable(
    [
      ...['method', 'workers', 'most common type', 'rows/s', 'ratio'],
      ...(several ? ['spread'] : []),
      ...['WAL bytes/row', 'ratio', 'heap +', 'indexes +', 'ratio', 'HOT', 'agent memory'],
    ],
    results.map(({ median: result, shares, spread }) => [
      ...[result.method, String(result.workers), `${shares}%`],
      ...[formatCount(Math.round(result.rowsPerSecond)), ratio(result.rowsPerSecond, single?.rowsPerSecond)],
      ...(several ? [formatPercent(spread)] : []),
      ...[formatCount(Math.round(result.walBytesPerRow)), ratio(result.walBytesPerRow, single?.walBytesPerRow)],
      ...[formatBytes(result.heapGrowthBytes), formatBytes(result.indexGrowthBytes)],
      ratio(
        result.heapGrowthBytes + result.indexGrowthBytes,
        single && single.heapGrowthBytes + single.indexGrowthBytes,
      ),
      formatPercent(result.hotRatio),
      result.agentRssBytes === undefined ? '-' : formatBytes(result.agentRssBytes),
    ]),
  )
}

export const RESULTS_NOTES = `Ratios are to single-update of this run, which writes every row and so is the reference for every share of types. The last
ratio is the growth of heap and indexes together. The engine runs with trigger, throttle, checkpoints, and final sweep.
`
