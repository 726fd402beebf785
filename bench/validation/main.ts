import { writeFile } from 'node:fs/promises'
import type { Calibration } from '../calibration.ts'
import { middle, spread } from '../median.ts'
import { grouped, markdown, percent } from '../print.ts'
import { goalLines } from '../reach.ts'
import { measureOnce, validated, type Cost } from './measure.ts'

/** Times count(*) that the reading may cost. */
const LIMIT = 4

export interface ValidationOptions {
  readonly rows: number
  readonly runs: number
  readonly json: string | null
}

/** What one reading of the table for coverage, confusion matrix and checksum costs, in times of count(*). */
export async function validation({ rows, runs, json }: ValidationOptions, calibration: Calibration): Promise<number> {
  const costs = await validated(rows, async (at) => {
    const found: Cost[] = []
    await calibration.sample()
    for (let run = 0; run < runs; run++) {
      found.push(await measureOnce(at))
      await calibration.sample()
    }
    return found
  })
  const count = costs.map((cost) => cost.countSeconds)
  const reading = costs.map((cost) => cost.readingSeconds)
  const ratio = middle(reading) / middle(count)
  const ms = (seconds: number): string => `${grouped(seconds * 1000)} ms`
  process.stdout.write(
    `${rows} rows, medians of ${runs}:\n\n${markdown(
      ['what', 'time', 'for a row', 'times count(*)', 'spread'],
      [
        [
          'count(*)',
          ms(middle(count)),
          `${Math.round((middle(count) * 1e9) / rows)} ns`,
          '1.00',
          percent(spread(count)),
        ],
        [
          'coverage, matrix and checksum',
          ...[ms(middle(reading)), `${Math.round((middle(reading) * 1e9) / rows)} ns`],
          ...[ratio.toFixed(2), percent(spread(reading))],
        ],
        ['the operation, from request to end', ms(middle(costs.map((cost) => cost.operationSeconds))), '', '', ''],
      ],
    )}\nTimes are those of the server for its statements (pg_stat_statements); count(*) as it plans it after VACUUM ANALYZE.\n\n`,
  )
  const goal = { what: `reading to count(*), ${rows} rows`, bound: 'at most', limit: LIMIT, value: ratio } as const
  process.stdout.write(goalLines([goal]))
  if (json) await writeFile(json, `${JSON.stringify({ rows, ratio, costs }, null, 2)}\n`)
  return 0
}
