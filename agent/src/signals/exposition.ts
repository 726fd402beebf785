export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y

/** Samples of Prometheus' text format 0.0.4 whose name `keep` accepts. Throws on the first line it cannot read. */
export function parseExposition(text: string, keep: (name: string) => boolean): Sample[] {
  const samples: Sample[] = []
  let number = 0
  for (const line of text.split('\n')) {
    number++
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, name, labels, value] = LINE.exec(line) ?? []
    if (!name || !value) throw new Error(`line ${number} of the metrics is not in Prometheus' text format`)
    if (keep(name)) samples.push({ name, labels: parseLabels(labels ?? '', number), value: parseValue(value, number) })
  }
  return samples
}

function parseLabels(text: string, line: number): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length && text.slice(LABEL.lastIndex).trim() !== '') {
    const found = LABEL.exec(text)
    if (!found) throw new Error(`line ${line} of the metrics has labels that cannot be read`)
    labels[found[1]!] = found[2]!.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
  }
  return labels
}

function parseValue(text: string, line: number): number {
  const value = floatOf(text)
  if (Number.isNaN(value) && !/^nan$/i.test(text)) throw new Error(`line ${line} of the metrics has no number`)
  return value
}

/** A number as Prometheus writes it: also +Inf and -Inf; NaN for anything else. */
export function floatOf(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Infinity
  return text === '-Inf' ? -Infinity : Number(text)
}
