import { toVisibleJson } from './format/visibleText.ts'

/** Writes one line of JSON to standard output. */
export type Log = (line: { readonly level: 'info' | 'warning' | 'error' } & Record<string, unknown>) => void

export function createLog(
  agent: string,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Log {
  return (line) => write(`${toVisibleJson({ at: new Date().toISOString(), agent, ...line })}\n`)
}
