import type { MethodResult } from './measureMethod.ts'

/** A goal of the engine: a ratio of two results of one run. */
export interface Goal {
  readonly what: string
  readonly bound: 'at least' | 'at most'
  readonly limit: number
  /** Null: a required result was not measured. */
  readonly value: number | null
}

export function methodGoals(measured: readonly MethodResult[]): Goal[] {
  const findResult = (method: string): MethodResult | undefined => measured.find((result) => result.method === method)
  const ratio = (method: string, to: string, pick: (result: MethodResult) => number): number | null => {
    const [a, b] = [findResult(method), findResult(to)]
    return a && b ? pick(a) / pick(b) : null
  }
  const speed = (result: MethodResult): number => result.rowsPerSecond
  const growth = (result: MethodResult): number => result.heapGrowthBytes + result.indexGrowthBytes
  const atLeast = (what: string, limit: number, value: number | null): Goal => ({
    what,
    bound: 'at least',
    limit,
    value,
  })
  const atMost = (what: string, limit: number, value: number | null): Goal => ({ what, bound: 'at most', limit, value })
  return [
    atLeast('rows/s of engine to single-update', 1.6, ratio('engine', 'single-update', speed)),
    atLeast('rows/s of engine-2 to single-update', 2.2, ratio('engine-2', 'single-update', speed)),
    atLeast('rows/s of engine-prefill to single-update', 2.8, ratio('engine-prefill', 'single-update', speed)),
    atLeast('rows/s of engine-prefill-90 to single-update', 8, ratio('engine-prefill-90', 'single-update', speed)),
    atLeast('rows/s of engine to pgroll-method', 2.4, ratio('engine', 'pgroll-method', speed)),
    atMost(
      'WAL bytes/row of engine to single-update',
      0.55,
      ratio('engine', 'single-update', (result) => result.walBytesPerRow),
    ),
    atMost('growth of heap and indexes, engine to single-update', 0.4, ratio('engine', 'single-update', growth)),
    atLeast('rows/s of clear to engine', 0.8, ratio('clear', 'engine', speed)),
  ]
}

/** One line per goal. */
export function goalLines(all: readonly Goal[]): string {
  return all
    .map(({ what, bound, limit, value }) => {
      const verdict = value === null ? 'not measured' : isMet(bound, limit, value) ? 'met' : 'MISSED'
      const figure = value === null ? '-' : value.toFixed(2)
      return `${verdict.padEnd(13)}${figure.padStart(6)}  ${what} (${bound} ${limit})\n`
    })
    .join('')
}

const isMet = (bound: Goal['bound'], limit: number, value: number): boolean =>
  bound === 'at least' ? value >= limit : value <= limit
