import { logScale, type Scale } from './scale.ts'
import { polyline, svg, text } from './svg.ts'

/** The latency of one scenario over time: for each second from the start, in milliseconds. */
export interface Series {
  readonly title: string
  readonly remark: string
  readonly seconds: readonly number[]
  readonly p50: readonly number[]
  readonly p99: readonly number[]
}

const WIDTH = 860
const PANEL = { width: 350, height: 170 }
const LEFT = 64
const TOP = 104
const GAP = { x: 70, y: 74 }

/** Four panels with the same axes; the first one's typical p99 is drawn into all of them for comparison. */
export function latencyPanels(series: readonly Series[], subtitle: string): string {
  const height = TOP + Math.ceil(series.length / 2) * (PANEL.height + GAP.y) - 10
  const longest = Math.max(1, ...series.flatMap((one) => one.seconds))
  const values = series.flatMap((one) => [...one.p50, ...one.p99])
  const reference = median(series[0]?.p99 ?? [])
  return svg(
    {
      width: WIDTH,
      height,
      title: 'Latency of other clients during a backfill',
      description: series.map((one) => `${one.title}: ${one.remark}`).join('; '),
    },
    [
      text(16, 24, 'Latency of other clients during a backfill (log scale)', { kind: 'title' }),
      text(16, 44, subtitle, { kind: 'quiet' }),
      ...series.flatMap((one, n) => {
        const left = LEFT + (n % 2) * (PANEL.width + GAP.x)
        const top = TOP + Math.floor(n / 2) * (PANEL.height + GAP.y)
        const x = (seconds: number): number => left + (seconds / longest) * PANEL.width
        const y = logScale(values, top + PANEL.height, top)
        return [...frame(one, left, top, longest, y), ...lines(one, x, y, left, reference)]
      }),
    ],
  )
}

function frame(one: Series, left: number, top: number, longest: number, y: Scale): string[] {
  const bottom = top + PANEL.height
  return [
    text(left, top - 22, one.title, { kind: 'title' }),
    text(left, top - 7, one.remark, { kind: 'quiet' }),
    ...y.ticks.flatMap((tick) => [
      polyline(
        [
          [left, y.at(tick)],
          [left + PANEL.width, y.at(tick)],
        ],
        'grid',
      ),
      text(left - 6, y.at(tick) + 4, milliseconds(tick), { kind: 'quiet', anchor: 'end' }),
    ]),
    text(left, bottom + 16, '0', { kind: 'quiet', anchor: 'middle' }),
    text(left + PANEL.width, bottom + 16, `${Math.round(longest)} s`, { kind: 'quiet', anchor: 'middle' }),
  ]
}

function lines(one: Series, x: (seconds: number) => number, y: Scale, left: number, reference: number): string[] {
  const points = (values: readonly number[]): [number, number][] =>
    values.map((value, n) => [x(one.seconds[n]!), y.at(value)])
  const [end, level] = [left + PANEL.width, y.at(reference)]
  return [
    polyline(
      [
        [left, level],
        [end, level],
      ],
      'line reference',
    ),
    polyline(points(one.p50), 'line p50'),
    polyline(points(one.p99), 'line p99'),
  ]
}

const milliseconds = (value: number): string => (value >= 1000 ? `${value / 1000} s` : `${value} ms`)

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 1
}
