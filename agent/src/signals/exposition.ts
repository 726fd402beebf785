export interface ExpositionSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const SAMPLE_PATTERN = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/
const LABEL_PATTERN = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/y

/** Samples of Prometheus' text format 0.0.4 whose name `keep` accepts. Throws on the first line it cannot read. */
export function parseExposition(text: string, keep: (name: string) => boolean): ExpositionSample[] {
  const samples: ExpositionSample[] = []
  let number = 0
  for (const line of text.split('\n')) {
    number++
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, name, labels, value] = SAMPLE_PATTERN.exec(line) ?? []
    if (!name || !value) throw new Error(`line ${number} of the metrics is not in Prometheus' text format`)
    if (keep(name)) samples.push({ name, labels: parseLabels(labels ?? '', number), value: parseValue(value, number) })
  }
  return samples
}

function parseLabels(text: string, line: number): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL_PATTERN.lastIndex = 0
  while (LABEL_PATTERN.lastIndex < text.length && text.slice(LABEL_PATTERN.lastIndex).trim() !== '') {
    const match = LABEL_PATTERN.exec(text)
    if (!match) throw new Error(`line ${line} of the metrics has labels that cannot be read`)
    labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
  }
  return labels
}

function parseValue(text: string, line: number): number {
  const value = parsePrometheusNumber(text)
  if (Number.isNaN(value) && !/^nan$/i.test(text)) throw new Error(`line ${line} of the metrics has no number`)
  return value
}

/** A number as Prometheus writes it: also +Inf and -Inf; NaN for anything else. */
export function parsePrometheusNumber(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Infinity
  return text === '-Inf' ? -Infinity : Number(text)
}
