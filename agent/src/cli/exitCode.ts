import type { Verdict } from '../contract/index.ts'

/** Exit codes of all commands; docs/cli.md documents them. */
export const ExitCode = { done: 0, failed: 1, usage: 2, refused: 3, inconclusive: 4, waiting: 5 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** Ends the command with a one-sentence message and an exit code; `reasons` are printed below the message. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  readonly code: string
  readonly reasons: readonly string[]

  constructor(exitCode: ExitCode, code: string, message: string, reasons: readonly string[] = []) {
    super(message)
    this.exitCode = exitCode
    this.code = code
    this.reasons = reasons.filter((reason) => reason !== message)
  }
}

/** An inconclusive verdict has its own exit code, since it is neither a success nor a failure. */
export const EXIT_CODE_OF_VERDICT = {
  pass: ExitCode.done,
  fail: ExitCode.failed,
  inconclusive: ExitCode.inconclusive,
  error: ExitCode.inconclusive,
} satisfies Record<Verdict, ExitCode>

export const usageError = (message: string): CliError => new CliError(ExitCode.usage, 'usage', message)
