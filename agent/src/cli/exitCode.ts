/** Exit codes of every command; documented in docs/cli.md. */
export const ExitCode = { done: 0, failed: 1, usage: 2, refused: 3, inconclusive: 4 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** Ends the command with one sentence and an exit code; `reasons` are printed below it. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  readonly code: string
  readonly reasons: readonly string[]

  constructor(exit: ExitCode, code: string, message: string, reasons: readonly string[] = []) {
    super(message)
    this.exitCode = exit
    this.code = code
    this.reasons = reasons.filter((reason) => reason !== message)
  }
}

export const usageError = (message: string): CliError => new CliError(ExitCode.usage, 'usage', message)
