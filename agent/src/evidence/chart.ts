import { moment, percent, type Chart } from './blocks.ts'
import { escaped } from './escape.ts'

const WIDTH = 900
const HEIGHT = 220
const LEFT = 60
const RIGHT = 20
const TOP = 30
const BOTTOM = 30

/** A line from 0 to 100 % over time as SVG, in place; a point for each value while they are few. */
export function chart({ title, points }: Chart): string {
  const times = points.map(({ at }) => Date.parse(at))
  const first = Math.min(...times)
  const last = Math.max(...times)
  const x = (time: number): number =>
    LEFT + (last === first ? 0.5 : (time - first) / (last - first)) * (WIDTH - LEFT - RIGHT)
  const y = (ratio: number): number => TOP + (1 - ratio) * (HEIGHT - TOP - BOTTOM)
  const places = points.map(({ ratio }, index) => [round(x(times[index]!)), round(y(ratio))] as const)
  const grid = [0, 0.25, 0.5, 0.75, 1]
    .map(
      (ratio) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(ratio)}" y2="${y(ratio)}" stroke="#d0d7de"/>` +
        `<text x="${LEFT - 8}" y="${y(ratio) + 4}" text-anchor="end">${ratio * 100} %</text>`,
    )
    .join('')
  const dots = places.length > 60 ? '' : places.map(([at, of]) => `<circle cx="${at}" cy="${of}" r="3"/>`).join('')
  const what = `${title}: from ${percent(points[0]!.ratio)} to ${percent(points.at(-1)!.ratio)}`
  return `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escaped(what)}" font-family="system-ui, sans-serif" font-size="12" fill="#1b1f24">
<text x="${LEFT}" y="16" font-weight="600">${escaped(title)}</text>${grid}
<polyline fill="none" stroke="#1f6feb" stroke-width="2" points="${places.map((place) => place.join(',')).join(' ')}"/><g fill="#1f6feb">${dots}</g>
<text x="${LEFT}" y="${HEIGHT - 8}">${moment(new Date(first).toISOString())}</text><text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${moment(new Date(last).toISOString())}</text>
</svg></figure>`
}

const round = (value: number): number => Math.round(value * 10) / 10
