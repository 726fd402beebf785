import { formatPercent } from '../format/format.ts'
import { formatInstant, type ChartBlock } from './reportBlocks.ts'
import { escapeHtml } from '../format/html.ts'

const CHART_WIDTH = 900
const CHART_HEIGHT = 220
const MARGIN_LEFT = 60
const MARGIN_RIGHT = 20
const MARGIN_TOP = 30
const MARGIN_BOTTOM = 30
const MAX_DOTS = 60

/** A line chart from 0% to 100% as inline SVG, with a dot for each point if there are few. */
export function renderChart({ title, points }: ChartBlock): string {
  const times = points.map(({ at }) => Date.parse(at))
  const first = Math.min(...times)
  const last = Math.max(...times)
  const x = (time: number): number =>
    MARGIN_LEFT + (last === first ? 0.5 : (time - first) / (last - first)) * (CHART_WIDTH - MARGIN_LEFT - MARGIN_RIGHT)
  const y = (ratio: number): number => MARGIN_TOP + (1 - ratio) * (CHART_HEIGHT - MARGIN_TOP - MARGIN_BOTTOM)
  const coordinates = points.map(
    ({ ratio }, index) => [roundToTenth(x(times[index]!)), roundToTenth(y(ratio))] as const,
  )
  const grid = [0, 0.25, 0.5, 0.75, 1]
    .map(
      (ratio) =>
        `<line x1="${MARGIN_LEFT}" x2="${CHART_WIDTH - MARGIN_RIGHT}" y1="${y(ratio)}" y2="${y(ratio)}" stroke="#d0d7de"/>` +
        `<text x="${MARGIN_LEFT - 8}" y="${y(ratio) + 4}" text-anchor="end">${formatPercent(ratio)}</text>`,
    )
    .join('')
  const dots =
    coordinates.length > MAX_DOTS ? '' : coordinates.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3"/>`).join('')
  const label = `${title}: from ${formatPercent(points[0]!.ratio)} to ${formatPercent(points.at(-1)!.ratio)}`
  return `<figure><svg viewBox="0 0 ${CHART_WIDTH} ${CHART_HEIGHT}" width="${CHART_WIDTH}" height="${CHART_HEIGHT}" role="img" aria-label="${escapeHtml(label)}" font-family="system-ui, sans-serif" font-size="12" fill="#1b1f24">
<text x="${MARGIN_LEFT}" y="16" font-weight="600">${escapeHtml(title)}</text>${grid}
<polyline fill="none" stroke="#1f6feb" stroke-width="2" points="${coordinates.map((pair) => pair.join(',')).join(' ')}"/><g fill="#1f6feb">${dots}</g>
<text x="${MARGIN_LEFT}" y="${CHART_HEIGHT - 8}">${formatInstant(new Date(first).toISOString())}</text><text x="${CHART_WIDTH - MARGIN_RIGHT}" y="${CHART_HEIGHT - 8}" text-anchor="end">${formatInstant(new Date(last).toISOString())}</text>
</svg></figure>`
}

const roundToTenth = (value: number): number => Math.round(value * 10) / 10
