import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { toVisibleJson, toVisibleLine } from '../format/visibleText.ts'
import type { CliError } from './exitCode.ts'
import { alignColumns, alignRows } from './table.ts'

/** The parts of the process that a command uses. */
export interface Terminal {
  readonly stdin: Readable & { isTTY?: boolean }
  readonly stdout: Writable & { isTTY?: boolean; columns?: number }
  readonly stderr: Writable & { isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly home: string
}

/** Prints lines for people or, with `--json`, one JSON value per line. */
export interface Output {
  readonly json: boolean
  readonly terminal: Terminal
  /** Prints a line to stdout, unless `--json` is set. */
  line(text: string): void
  /** Prints a table with its headings, in the width of the terminal, unless `--json` is set. */
  table(rows: readonly (readonly string[])[]): void
  /** Prints a table without headings, as `table` does. */
  rows(rows: readonly (readonly string[])[]): void
  /** Prints a remark to stderr, unless `--json` is set. */
  note(text: string): void
  /** Prints a JSON value to stdout if `--json` is set. */
  value(value: unknown): void
}

export function createOutput(terminal: Terminal, json: boolean): Output {
  const printLines = (lines: () => readonly string[]): void =>
    void (json || lines().forEach((text) => writeLine(terminal.stdout, text)))
  const { columns } = terminal.stdout
  return {
    json,
    terminal,
    line: (text) => printLines(() => [text]),
    table: (rows) => printLines(() => alignColumns(rows, columns)),
    rows: (rows) => printLines(() => alignRows(rows, columns).flat()),
    note: (text) => void (json || writeLine(terminal.stderr, text)),
    value: (value) => void (json && writeJson(terminal.stdout, value)),
  }
}

/** Every line for a person is written here: texts from outside cannot move the cursor or reorder what is around them. */
export const writeLine = (stream: Writable, text: string): void => void stream.write(`${toVisibleLine(text)}\n`)

/** Every line for a program is written here. */
export const writeJson = (stream: Writable, value: unknown, indent?: number): void =>
  void stream.write(`${toVisibleJson(value, indent)}\n`)

/** An error on stderr: one sentence with its reasons, or with `--json` one JSON object. */
export function writeError({ stderr }: Terminal, { message, code, reasons }: CliError, json: boolean): void {
  if (json) writeJson(stderr, { error: message, code, reasons })
  else [`sti: ${message}`, ...reasons.map((reason) => `  - ${reason}`)].forEach((line) => writeLine(stderr, line))
}

/** A person can answer a prompt. */
export function isInteractive(terminal: Terminal): boolean {
  return terminal.stdin.isTTY === true && terminal.stderr.isTTY === true
}

export async function askQuestion(terminal: Terminal, question: string): Promise<string> {
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr })
  try {
    return (await lines.question(toVisibleLine(question))).trim()
  } finally {
    lines.close()
  }
}
