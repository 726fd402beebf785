import type { MethodResult } from '../measureMethod.ts'
import { formatCount } from '../../agent/src/format/format.ts'
import { svgPolyline, svgRectangle, renderSvg, svgText } from './svg.ts'

const NAME_WIDTH = 150
const BAR_WIDTH = 240
const VALUE_WIDTH = 75
const ROW_HEIGHT = 26
const TOP_MARGIN = 64

/** Bars of rows/s and WAL bytes per row, one line per method; the engine's bars are highlighted. */
export function methodBars(measured: readonly MethodResult[]): string {
  const width = NAME_WIDTH + 2 * (BAR_WIDTH + VALUE_WIDTH) + 20
  const height = TOP_MARGIN + measured.length * ROW_HEIGHT + 16
  const rows = formatCount(measured[0]?.rows ?? 0)
  const secondPanelLeft = NAME_WIDTH + BAR_WIDTH + VALUE_WIDTH
  return renderSvg(
    {
      width,
      height,
      title: `Filling a column of ${rows} rows`,
      description: measured
        .map((result) => `${result.method}: ${result.rowsPerSecond} rows/s, ${result.walBytesPerRow} WAL bytes per row`)
        .join('; '),
    },
    [
      svgText(16, 24, `Filling a column of ${rows} rows: primary key and three secondary indexes`, { kind: 'title' }),
      svgText(NAME_WIDTH, 50, 'rows/s (higher is better)', { kind: 'quiet' }),
      svgText(secondPanelLeft, 50, 'WAL bytes/row (lower is better)', { kind: 'quiet' }),
      ...drawBars(measured, NAME_WIDTH, (result) => result.rowsPerSecond),
      ...drawBars(measured, secondPanelLeft, (result) => result.walBytesPerRow),
      ...measured.map((result, n) =>
        svgText(NAME_WIDTH - 10, TOP_MARGIN + n * ROW_HEIGHT + 15, result.method, { anchor: 'end' }),
      ),
    ],
  )
}

function drawBars(measured: readonly MethodResult[], left: number, pick: (result: MethodResult) => number): string[] {
  const most = Math.max(1, ...measured.map(pick))
  const bottom = TOP_MARGIN + measured.length * ROW_HEIGHT
  return [
    svgPolyline(
      [
        [left, TOP_MARGIN - 4],
        [left, bottom],
      ],
      'grid',
    ),
    ...measured.flatMap((result, n) => {
      const length = (pick(result) / most) * BAR_WIDTH
      const y = TOP_MARGIN + n * ROW_HEIGHT
      return [
        svgRectangle(left, y, length, ROW_HEIGHT - 6, isEngineMethod(result) ? 'ours' : 'other'),
        svgText(left + length + 6, y + 15, formatCount(Math.round(pick(result)))),
      ]
    }),
  ]
}

const isEngineMethod = ({ method }: MethodResult): boolean => method.startsWith('engine') || method === 'clear'
