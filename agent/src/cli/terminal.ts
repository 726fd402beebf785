import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'

/** What a command needs from the process around it. */
export interface Terminal {
  readonly stdin: Readable & { isTTY?: boolean }
  readonly stdout: Writable & { isTTY?: boolean; columns?: number }
  readonly stderr: Writable & { isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly home: string
}

/** Where a command writes: lines for people, or with `--json` one JSON value per line. */
export interface Output {
  readonly json: boolean
  readonly terminal: Terminal
  /** A line for people; nothing with `--json`. */
  line(text: string): void
  /** A remark for people beside the result, on stderr; nothing with `--json`. */
  note(text: string): void
  /** A value for machines; nothing without `--json`. */
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

/** Both ends are a terminal: a person is there to be asked. */
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
