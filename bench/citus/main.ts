import { writeFile } from 'node:fs/promises'
import { formatCount, formatPercent } from '../../agent/src/format/format.ts'
import type { Calibration } from '../calibration.ts'
import { markdownTable } from '../format.ts'
import { goalLines } from '../goals.ts'
import { median, relativeSpread } from '../statistics.ts'
import { measureBackfill, measureUpdate } from './measureShards.ts'

/** Minimum speed of the engine, as a multiple of that of one UPDATE on the same cluster. */
const SPEED_RATIO_LIMIT = 0.9

interface CitusBenchOptions {
  readonly rows: number
  readonly runs: number
  readonly json: string | null
  readonly citus: { readonly url: string; readonly shards: number; readonly workers: number }
}

/** Measures one UPDATE through the coordinator and the engine by turns, since other work of the machine disturbs both. */
export async function runCitusBench(
  { rows, runs, json, citus }: CitusBenchOptions,
  calibration: Calibration,
): Promise<number> {
  const table = { url: citus.url, shards: citus.shards, rows }
  const updates: number[] = []
  const backfills: Awaited<ReturnType<typeof measureBackfill>>[] = []
  await calibration.sample()
  for (let run = 0; run < runs; run++) {
    updates.push(await measureUpdate(table))
    backfills.push(await measureBackfill(table, citus.workers))
    await calibration.sample()
  }
  const seconds = backfills.map((backfill) => backfill.seconds)
  const batches = backfills.reduce((sum, backfill) => sum + backfill.batches, 0)
  const within = backfills.reduce((sum, backfill) => sum + backfill.within100Ms, 0)
  const ratios = updates.map((update, run) => update / seconds[run]!)
  const line = (method: string, times: readonly number[]): string[] => [
    method,
    formatCount(Math.round(rows / median(times))),
    `${median(times).toFixed(2)} s`,
    formatPercent(relativeSpread(times)),
  ]
  process.stdout.write(
    `${formatCount(rows)} rows in ${citus.shards} shards, ${citus.workers} workers, medians of ${runs}:\n\n${markdownTable(
      ['method', 'rows/s', 'time', 'spread'],
      [line('one UPDATE', updates), line('the engine', seconds)],
    )}\n${formatCount(batches)} batches, ${formatPercent(within / batches)} of them within 0.1 s; ratio by run: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}\n`,
  )
  process.stdout.write(
    goalLines([
      { what: 'rows/s of engine to one UPDATE', bound: 'at least', limit: SPEED_RATIO_LIMIT, value: median(ratios) },
    ]),
  )
  if (json) await writeFile(json, `${JSON.stringify({ rows, ...citus, updates, backfills }, null, 2)}\n`)
  return 0
}
