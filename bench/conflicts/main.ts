import { writeFile } from 'node:fs/promises'
import { formatCount, formatPercent } from '../../agent/src/format/format.ts'
import type { Calibration } from '../calibration.ts'
import { markdownTable } from '../format.ts'
import { median, relativeSpread } from '../statistics.ts'
import { measureWrites, WRITES, type Write } from './measureWrites.ts'

/** Measures what it costs the dual-write trigger to count conflicts before finalize, by the kind of write. */
export async function runConflictsBench(
  { rows, runs, json }: { readonly rows: number; readonly runs: number; readonly json: string | null },
  calibration: Calibration,
): Promise<number> {
  await calibration.sample()
  const times = await measureWrites(rows, runs, () => calibration.sample())
  const results = (Object.keys(WRITES) as Write[]).map((write) => {
    const seconds = (counting: boolean): number[] =>
      times.filter((time) => time.write === write && time.counting === counting).map((time) => time.seconds)
    const [plain, counting] = [seconds(false), seconds(true)]
    return {
      write,
      plainMicroseconds: (median(plain) * 1e6) / rows,
      countingMicroseconds: (median(counting) * 1e6) / rows,
      ratio: median(counting) / median(plain),
      spread: Math.max(relativeSpread(plain), relativeSpread(counting)),
    }
  })
  process.stdout.write(
    `UPDATE of ${formatCount(rows)} rows in one statement before finalize, medians of ${runs}:\n\n${markdownTable(
      ['the write sets', 'µs/row without counting', 'µs/row with', 'ratio', 'spread'],
      results.map(({ write, plainMicroseconds, countingMicroseconds, ratio, spread }) => [
        write,
        ...[plainMicroseconds, countingMicroseconds, ratio].map((value) => value.toFixed(2)),
        formatPercent(spread),
      ]),
    )}`,
  )
  if (json) await writeFile(json, `${JSON.stringify({ rows, results }, null, 2)}\n`)
  return 0
}
