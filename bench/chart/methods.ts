import type { Measured } from '../measure.ts'
import { grouped } from '../print.ts'
import { polyline, rectangle, svg, text } from './svg.ts'

const NAMES = 150
const BARS = 240
const VALUES = 75
const ROW = 26
const TOP = 64

/** Bars of rows/s and of WAL bytes per row, one line for each method; ours stand out. */
export function methodBars(measured: readonly Measured[]): string {
  const width = NAMES + 2 * (BARS + VALUES) + 20
  const height = TOP + measured.length * ROW + 16
  const rows = grouped(measured[0]?.rows ?? 0)
  const second = NAMES + BARS + VALUES
  return svg(
    {
      width,
      height,
      title: `Filling a column of ${rows} rows`,
      description: measured
        .map((one) => `${one.method}: ${one.rowsPerSecond} rows/s, ${one.walBytesPerRow} WAL bytes per row`)
        .join('; '),
    },
    [
      text(16, 24, `Filling a column of ${rows} rows: primary key and three secondary indexes`, { kind: 'title' }),
      text(NAMES, 50, 'rows/s (more is better)', { kind: 'quiet' }),
      text(second, 50, 'WAL bytes/row (less is better)', { kind: 'quiet' }),
      ...panel(measured, NAMES, (one) => one.rowsPerSecond),
      ...panel(measured, second, (one) => one.walBytesPerRow),
      ...measured.map((one, n) => text(NAMES - 10, TOP + n * ROW + 15, one.method, { anchor: 'end' })),
    ],
  )
}

function panel(measured: readonly Measured[], left: number, pick: (one: Measured) => number): string[] {
  const most = Math.max(1, ...measured.map(pick))
  const bottom = TOP + measured.length * ROW
  return [
    polyline(
      [
        [left, TOP - 4],
        [left, bottom],
      ],
      'grid',
    ),
    ...measured.flatMap((one, n) => {
      const length = (pick(one) / most) * BARS
      const y = TOP + n * ROW
      return [
        rectangle(left, y, length, ROW - 6, isOurs(one) ? 'ours' : 'other'),
        text(left + length + 6, y + 15, grouped(pick(one))),
      ]
    }),
  ]
}

const isOurs = ({ method }: Measured): boolean => method.startsWith('engine') || method === 'clear'
