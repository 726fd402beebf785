/** Colors follow the reader's light or dark setting. The image has its own background, so that both are readable. */
const STYLE = `
  .ground { fill: #ffffff }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 14px; font-weight: 600 }
  .quiet { fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1; fill: none }
  .ours { fill: #0969da }
  .other { fill: #8c959f }
  .line { fill: none; stroke-width: 1.6; stroke-linejoin: round }
  .p99 { stroke: #0969da }
  .p50 { stroke: #1a7f37 }
  .reference { stroke: #8c959f; stroke-dasharray: 4 4 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 }
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .grid { stroke: #2f353d }
    .ours { fill: #4493f8 }
    .other { fill: #6e7681 }
    .p99 { stroke: #4493f8 }
    .p50 { stroke: #3fb950 }
    .reference { stroke: #9198a1 }
  }`

export interface SvgPicture {
  readonly width: number
  readonly height: number
  /** Description for screen readers. */
  readonly title: string
  readonly description: string
}

export function renderSvg({ width, height, title, description }: SvgPicture, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escapeXml(title)}</title>
<desc id="description">${escapeXml(description)}</desc>
<style>${STYLE}
</style>
<rect class="ground" width="${width}" height="${height}"/>
${parts.join('\n')}
</svg>
`
}

export function svgText(
  x: number,
  y: number,
  content: string,
  { kind = '', anchor = 'start' }: { kind?: string; anchor?: 'start' | 'middle' | 'end' } = {},
): string {
  return `<text x="${round(x)}" y="${round(y)}" class="${kind}" text-anchor="${anchor}">${escapeXml(content)}</text>`
}

export function svgRectangle(x: number, y: number, width: number, height: number, kind: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="2" class="${kind}"/>`
}

export function svgPolyline(points: readonly (readonly [number, number])[], kind: string): string {
  return `<polyline class="${kind}" points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}"/>`
}

const round = (value: number): string => String(Math.round(value * 10) / 10)

const escapeXml = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
