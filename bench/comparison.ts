import { readFile } from 'node:fs/promises'
import type { MethodResult } from './measureMethod.ts'
import { formatBytes } from '../agent/src/format/format.ts'
import { markdownTable } from './format.ts'
import type { Goal } from './goals.ts'

/** Reads the results that an earlier run wrote with `--json`. */
export async function readResults(path: string): Promise<MethodResult[]> {
  const list: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!Array.isArray(list) || !list.every((result) => typeof (result as MethodResult).rowsPerSecond === 'number')) {
    throw new Error('it was not written by --json')
  }
  return list as MethodResult[]
}

/** Compares time per row and agent memory with an earlier run. */
export function comparisonTable(now: readonly MethodResult[], then: readonly MethodResult[]): string {
  const microseconds = (result: MethodResult): string => (1e6 / result.rowsPerSecond).toFixed(2)
  const memory = (result: MethodResult): string =>
    result.agentRssBytes === undefined ? '-' : formatBytes(result.agentRssBytes)
  const rows = matchByMethod(now, then).map(([a, b]) => [
    ...[a.method, String(b.rows), String(a.rows), microseconds(b), microseconds(a)],
    ...[(b.rowsPerSecond / a.rowsPerSecond).toFixed(2), memory(b), memory(a)],
  ])
  return markdownTable(
    ['method', 'rows then', 'rows now', 'µs/row then', 'µs/row now', 'ratio', 'memory then', 'now'],
    rows,
  )
}

/** Time and memory must not grow with the table. */
export function comparisonGoals(now: readonly MethodResult[], then: readonly MethodResult[]): Goal[] {
  return matchByMethod(now, then)
    .filter(([a, b]) => a.method === 'engine' && a.rows > b.rows)
    .flatMap(([a, b]): Goal[] => [
      {
        what: `time per row of engine, ${a.rows} rows to ${b.rows}`,
        bound: 'at most',
        limit: 1.15,
        value: b.rowsPerSecond / a.rowsPerSecond,
      },
      {
        what: `agent memory of engine, ${a.rows} rows to ${b.rows}`,
        bound: 'at most',
        limit: 1.1,
        value: a.agentRssBytes && b.agentRssBytes ? a.agentRssBytes / b.agentRssBytes : null,
      },
    ])
}

function matchByMethod(now: readonly MethodResult[], then: readonly MethodResult[]): [MethodResult, MethodResult][] {
  return now.flatMap((a) => then.filter((b) => b.method === a.method).map((b): [MethodResult, MethodResult] => [a, b]))
}
