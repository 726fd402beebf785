import { writeFile } from 'node:fs/promises'
import { formatCount } from '../../agent/src/format/format.ts'
import type { Calibration } from '../calibration.ts'
import { markdownTable } from '../format.ts'
import { percentile } from '../foreground/scenarioSummary.ts'
import { goalLines } from '../goals.ts'
import { median } from '../statistics.ts'
import { measureNeighbors, type NeighborLatency } from './measureNeighbors.ts'

/** Maximum p99 of the updates next to a held row, as a multiple of that without a held row. */
const P99_MULTIPLE_LIMIT = 1.5

interface HeldRowBenchOptions {
  readonly rows: number
  readonly runs: number
  readonly json: string | null
  readonly heldRow: { readonly seconds: number; readonly perSecond: number }
}

/** Measures the updates of the rows next to one that another session holds during a backfill, and without that session. */
export async function runHeldRowBench(
  { rows, runs, json, heldRow }: HeldRowBenchOptions,
  calibration: Calibration,
): Promise<number> {
  const measured: NeighborLatency[] = []
  await calibration.sample()
  for (let run = 0; run < runs; run++) {
    for (const held of [false, true]) {
      measured.push(await measureNeighbors({ rows, held, ...heldRow }))
      await calibration.sample()
    }
  }
  const p99 = (held: boolean): number => median(percentiles(measured, held, 0.99))
  process.stdout.write(
    `8 clients, ${heldRow.perSecond} updates/s in all of the rows next to one, ${heldRow.seconds} s from the start of a backfill of ${formatCount(rows)} rows; medians of ${runs}:\n\n${markdownTable(
      ['the row', 'updates', 'p50', 'p99', 'max'],
      [false, true].map((held) => [
        held ? 'is held' : 'is free',
        formatCount(measured.filter((one) => one.held === held).reduce((sum, one) => sum + one.milliseconds.length, 0)),
        ...[0.5, 0.99, 1].map((share) => `${median(percentiles(measured, held, share)).toFixed(2)} ms`),
      ]),
    )}\n`,
  )
  const goal = { what: 'p99 with a held row to p99 without', bound: 'at most', limit: P99_MULTIPLE_LIMIT } as const
  process.stdout.write(goalLines([{ ...goal, value: p99(true) / p99(false) }]))
  if (json) await writeFile(json, `${JSON.stringify({ rows, p99Ms: p99(false), p99HeldMs: p99(true) }, null, 2)}\n`)
  return 0
}

const percentiles = (measured: readonly NeighborLatency[], held: boolean, share: number): number[] =>
  measured.filter((one) => one.held === held).map(({ milliseconds }) => percentile(milliseconds, share))
