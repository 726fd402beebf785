import { formatCount, markdownTable, formatMegabytes, formatPercent } from './format.ts'
import type { RepeatedRuns } from './repeatedRuns.ts'

/** The table of all methods, with ratios to single-update of the same run. */
export function resultsTable(results: readonly RepeatedRuns[]): string {
  const single = results.find((one) => one.median.method === 'single-update')?.median
  const ratio = (value: number, to: number | undefined): string => (to === undefined ? '-' : (value / to).toFixed(2))
  const several = results.some((one) => one.runs > 1)
  return markdownTable(
    [
      ...['method', 'workers', 'commonest type', 'rows/s', 'ratio'],
      ...(several ? ['spread'] : []),
      ...['WAL bytes/row', 'ratio', 'heap +', 'indexes +', 'ratio', 'HOT', 'agent memory'],
    ],
    results.map(({ median: one, shares, spread }) => [
      ...[one.method, String(one.workers), `${shares} %`],
      ...[formatCount(one.rowsPerSecond), ratio(one.rowsPerSecond, single?.rowsPerSecond)],
      ...(several ? [formatPercent(spread)] : []),
      ...[formatCount(one.walBytesPerRow), ratio(one.walBytesPerRow, single?.walBytesPerRow)],
      ...[formatMegabytes(one.heapGrowthBytes), formatMegabytes(one.indexGrowthBytes)],
      ratio(one.heapGrowthBytes + one.indexGrowthBytes, single && single.heapGrowthBytes + single.indexGrowthBytes),
      formatPercent(one.hotRatio),
      one.agentRssBytes === undefined ? '-' : formatMegabytes(one.agentRssBytes),
    ]),
  )
}

/** What a reader of the table should know. */
export const RESULTS_NOTES = `Ratios are to single-update of this run. It writes every row whatever its type, so one share of types serves for all
ratios. Growth is heap and indexes together. The engine runs with its trigger, throttle, checkpoints and final sweep.
`
