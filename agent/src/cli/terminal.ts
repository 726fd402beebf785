import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'

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
  /** Prints a remark to stderr, unless `--json` is set. */
  note(text: string): void
  /** Prints a JSON value to stdout if `--json` is set. */
  value(value: unknown): void
}

export function createOutput(terminal: Terminal, json: boolean): Output {
  return {
    json,
    terminal,
    line: (text) => void (json || terminal.stdout.write(`${text}\n`)),
    note: (text) => void (json || terminal.stderr.write(`${text}\n`)),
    value: (value) => void (json && terminal.stdout.write(`${JSON.stringify(value)}\n`)),
  }
}

/** A person can answer a prompt. */
export function isInteractive(terminal: Terminal): boolean {
  return terminal.stdin.isTTY === true && terminal.stderr.isTTY === true
}

export async function askQuestion(terminal: Terminal, question: string): Promise<string> {
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr })
  try {
    return (await lines.question(question)).trim()
  } finally {
    lines.close()
  }
}
