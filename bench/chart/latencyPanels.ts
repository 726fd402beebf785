import { svgPolyline, renderSvg, svgText } from './svg.ts'

/** Latency of one scenario per second from the start, in milliseconds. */
export interface LatencySeries {
  readonly title: string
  readonly remark: string
  readonly seconds: readonly number[]
  readonly p50: readonly number[]
  readonly p99: readonly number[]
}

const WIDTH = 860
const PANEL_SIZE = { width: 350, height: 170 }
const LEFT = 64
const TOP = 104
const GAP = { x: 70, y: 74 }

/** Four panels with the same axes. The median p99 of the first one is drawn in all of them for comparison. */
export function latencyPanels(series: readonly LatencySeries[], subtitle: string): string {
  const height = TOP + Math.ceil(series.length / 2) * (PANEL_SIZE.height + GAP.y) - 10
  const longest = Math.max(1, ...series.flatMap((run) => run.seconds))
  const values = series.flatMap((run) => [...run.p50, ...run.p99])
  const reference = middleValue(series[0]?.p99 ?? [])
  return renderSvg(
    {
      width: WIDTH,
      height,
      title: 'Latency of other clients during a backfill',
      description: series.map((run) => `${run.title}: ${run.remark}`).join('; '),
    },
    [
      svgText(16, 24, 'Latency of other clients during a backfill (log scale)', { kind: 'title' }),
      svgText(16, 44, subtitle, { kind: 'quiet' }),
      ...series.flatMap((run, n) => {
        const left = LEFT + (n % 2) * (PANEL_SIZE.width + GAP.x)
        const top = TOP + Math.floor(n / 2) * (PANEL_SIZE.height + GAP.y)
        const x = (seconds: number): number => left + (seconds / longest) * PANEL_SIZE.width
        const y = logScale(values, top + PANEL_SIZE.height, top)
        return [...drawFrame(run, left, top, longest, y), ...drawLines(run, x, y, left, reference)]
      }),
    ],
  )
}

function drawFrame(run: LatencySeries, left: number, top: number, longest: number, y: ChartScale): string[] {
  const bottom = top + PANEL_SIZE.height
  return [
    svgText(left, top - 22, run.title, { kind: 'title' }),
    svgText(left, top - 7, run.remark, { kind: 'quiet' }),
    ...y.ticks.flatMap((tick) => [
      svgPolyline(
        [
          [left, y.position(tick)],
          [left + PANEL_SIZE.width, y.position(tick)],
        ],
        'grid',
      ),
      svgText(left - 6, y.position(tick) + 4, formatMilliseconds(tick), { kind: 'quiet', anchor: 'end' }),
    ]),
    svgText(left, bottom + 16, '0', { kind: 'quiet', anchor: 'middle' }),
    svgText(left + PANEL_SIZE.width, bottom + 16, `${Math.round(longest)} s`, { kind: 'quiet', anchor: 'middle' }),
  ]
}

function drawLines(
  run: LatencySeries,
  x: (seconds: number) => number,
  y: ChartScale,
  left: number,
  reference: number,
): string[] {
  const points = (values: readonly number[]): [number, number][] =>
    values.map((value, n) => [x(run.seconds[n]!), y.position(value)])
  const [end, level] = [left + PANEL_SIZE.width, y.position(reference)]
  return [
    svgPolyline(
      [
        [left, level],
        [end, level],
      ],
      'line reference',
    ),
    svgPolyline(points(run.p50), 'line p50'),
    svgPolyline(points(run.p99), 'line p99'),
  ]
}

const formatMilliseconds = (value: number): string => (value >= 1000 ? `${value / 1000} s` : `${value} ms`)

function middleValue(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 1
}

interface ChartScale {
  position(value: number): number
  /** Powers of ten. */
  readonly ticks: readonly number[]
}

/** A scale from the power of ten below the smallest value to the one above the largest. */
function logScale(values: readonly number[], low: number, high: number): ChartScale {
  const positive = values.filter((value) => value > 0)
  const lowestExponent = Math.floor(Math.log10(Math.min(1, ...positive)))
  const highestExponent = Math.max(lowestExponent + 1, Math.ceil(Math.log10(Math.max(1, ...positive))))
  const at = (value: number): number =>
    low +
    ((Math.log10(Math.max(value, 10 ** lowestExponent)) - lowestExponent) / (highestExponent - lowestExponent)) *
      (high - low)
  return {
    position: at,
    ticks: Array.from({ length: highestExponent - lowestExponent + 1 }, (_, n) =>
      Number((10 ** (lowestExponent + n)).toPrecision(1)),
    ),
  }
}
