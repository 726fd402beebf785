import { toVisibleLine } from '../format/visibleText.ts'

const GAP = 2
/** A narrower last column is not readable. */
const MIN_LAST_WIDTH = 24

/**
 * Pads the cells of each column to equal width; columns are two spaces apart. In a terminal of `width` columns, the last
 * cell of a row that does not fit continues below its column; if that leaves too little room for it, each cell has a line
 * of its own, with its heading (the first row).
 */
export function alignColumns(rows: readonly (readonly string[])[], width = Infinity): string[] {
  return layOut(rows, width, stackRows).flat()
}

/**
 * The lines of each row of a table without headings. If too little room is left for the last cell, it starts a line of its
 * own.
 */
export function alignRows(rows: readonly (readonly string[])[], width = Infinity): string[][] {
  return layOut(rows, width, indentLastCells)
}

function layOut(
  rows: readonly (readonly string[])[],
  width: number,
  layOutNarrow: (visible: readonly (readonly string[])[], width: number) => string[][],
): string[][] {
  const visible = rows.map((row) => row.map((cell) => toVisibleLine(cell)))
  const widths: number[] = []
  for (const row of visible) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)))
  const lead = widths.slice(0, -1).reduce((sum, column) => sum + column + GAP, 0)
  if (lead + (widths.at(-1) ?? 0) <= width) return visible.map((row) => [joinCells(row, widths)])
  if (width - lead < MIN_LAST_WIDTH) return layOutNarrow(visible, width)
  return visible.map((row) => {
    if (row.length < widths.length) return [joinCells(row, widths)]
    const [first = '', ...rest] = wrapText(row.at(-1)!, width - lead)
    return [joinCells([...row.slice(0, -1), first], widths), ...rest.map((part) => ' '.repeat(lead) + part)]
  })
}

const joinCells = (row: readonly string[], widths: readonly number[]): string =>
  row
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join(' '.repeat(GAP))
    .trimEnd()

/** One line for each cell, and an empty one between two rows. */
function stackRows([headings = [], ...rows]: readonly (readonly string[])[], width: number): string[][] {
  const nameWidth = Math.max(0, ...headings.map((heading) => heading.length))
  return rows.map((row, number) => [
    ...(number === 0 ? [] : ['']),
    ...row.flatMap((cell, index) => {
      const [first = '', ...more] = wrapText(cell, Math.max(1, width - nameWidth - GAP))
      const indent = ' '.repeat(nameWidth + GAP)
      return [
        `${(headings[index] ?? '').padEnd(nameWidth + GAP)}${first}`.trimEnd(),
        ...more.map((part) => indent + part),
      ]
    }),
  ])
}

const INDENT = 6

/** Lines of all cells but the last, then indented lines of the last one. */
function indentLastCells(rows: readonly (readonly string[])[], width: number): string[][] {
  return rows.map((row) => {
    const lead = row.slice(0, -1).join(' '.repeat(GAP))
    const rest = wrapText(row.at(-1) ?? '', Math.max(1, width - INDENT)).map((line) => ' '.repeat(INDENT) + line)
    return [...wrapText(lead, width), ...rest]
  })
}

/** Lines of at most `width` characters, broken at spaces where there are any. */
function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const end = space > 0 ? space : width
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...lines, rest]
}
