import { writeFile } from 'node:fs/promises'
import type { Calibration } from '../calibration.ts'
import { median, relativeSpread } from '../statistics.ts'
import { formatCount, markdownTable, formatPercent } from '../format.ts'
import { goalLines } from '../goals.ts'
import { measureValidation, withCoveredTable, type ValidationCost } from './measureValidation.ts'

/** Times count(*) that the reading may cost. */
const COUNT_MULTIPLE_LIMIT = 4

export interface ValidationBenchOptions {
  readonly rows: number
  readonly runs: number
  readonly json: string | null
}

/** What one reading of the table for coverage, confusion matrix and checksum costs, in times of count(*). */
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
  const ms = (seconds: number): string => `${formatCount(seconds * 1000)} ms`
  process.stdout.write(
    `${rows} rows, medians of ${runs}:\n\n${markdownTable(
      ['what', 'time', 'for a row', 'times count(*)', 'spread'],
      [
        [
          'count(*)',
          ms(median(count)),
          `${Math.round((median(count) * 1e9) / rows)} ns`,
          '1.00',
          formatPercent(relativeSpread(count)),
        ],
        [
          'coverage, matrix and checksum',
          ...[ms(median(reading)), `${Math.round((median(reading) * 1e9) / rows)} ns`],
          ...[ratio.toFixed(2), formatPercent(relativeSpread(reading))],
        ],
        ['the operation, from request to end', ms(median(costs.map((cost) => cost.operationSeconds))), '', '', ''],
      ],
    )}\nTimes are those of the server for its statements (pg_stat_statements); count(*) as it plans it after VACUUM ANALYZE.\n\n`,
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
