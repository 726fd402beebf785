import { writeFile } from 'node:fs/promises'
import type { Calibration } from '../calibration.ts'
import { median, relativeSpread } from '../statistics.ts'
import { formatDuration, formatPercent } from '../../agent/src/format/format.ts'
import { markdownTable } from '../format.ts'
import { goalLines } from '../goals.ts'
import { measureValidation, withCoveredTable, type ValidationCost } from './measureValidation.ts'

/** Maximum cost of the reading as a multiple of count(*). */
const COUNT_MULTIPLE_LIMIT = 4

export interface ValidationBenchOptions {
  readonly rows: number
  readonly runs: number
  readonly json: string | null
}

/** Measures one reading of the table for coverage, confusion matrix, and checksum, as a multiple of count(*). */
export async function runValidationBench(
  { rows, runs, json }: ValidationBenchOptions,
  calibration: Calibration,
): Promise<number> {
  const costs = await withCoveredTable(rows, async (at) => {
    const measured: ValidationCost[] = []
    await calibration.sample()
    for (let run = 0; run < runs; run++) {
      measured.push(await measureValidation(at))
      await calibration.sample()
    }
    return measured
  })
  const count = costs.map((cost) => cost.countSeconds)
  const reading = costs.map((cost) => cost.readingSeconds)
  const ratio = median(reading) / median(count)
  process.stdout.write(
    `${rows} rows, medians of ${runs}:\n\n${markdownTable(
      ['measurement', 'time', 'time per row', 'ratio to count(*)', 'spread'],
      [
        [
          'count(*)',
          formatDuration(median(count)),
          `${Math.round((median(count) * 1e9) / rows)} ns`,
          '1.00',
          formatPercent(relativeSpread(count)),
        ],
        [
          'coverage, matrix, and checksum',
          ...[formatDuration(median(reading)), `${Math.round((median(reading) * 1e9) / rows)} ns`],
          ...[ratio.toFixed(2), formatPercent(relativeSpread(reading))],
        ],
        [
          'the operation, from request to end',
          formatDuration(median(costs.map((cost) => cost.operationSeconds))),
          '',
          '',
          '',
        ],
      ],
    )}\nTimes are server times of the statements (pg_stat_statements); count(*) runs with its default plan after VACUUM ANALYZE.\n\n`,
  )
  const goal = {
    what: `reading to count(*), ${rows} rows`,
    bound: 'at most',
    limit: COUNT_MULTIPLE_LIMIT,
    value: ratio,
  } as const
  process.stdout.write(goalLines([goal]))
  if (json) await writeFile(json, `${JSON.stringify({ rows, ratio, costs }, null, 2)}\n`)
  return 0
}
