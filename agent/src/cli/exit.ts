/** Exit codes of every command; documented in docs/cli.md. */
export const Exit = { done: 0, failed: 1, usage: 2, refused: 3, inconclusive: 4 } as const
export type Exit = (typeof Exit)[keyof typeof Exit]

/** Ends the command with one sentence and an exit code; `reasons` are printed below it. */
export class CliError extends Error {
  readonly exit: Exit
  readonly code: string
  readonly reasons: readonly string[]

  constructor(exit: Exit, code: string, message: string, reasons: readonly string[] = []) {
    super(message)
    this.exit = exit
    this.code = code
    this.reasons = reasons.filter((reason) => reason !== message)
  }
}

export const usage = (message: string): CliError => new CliError(Exit.usage, 'usage', message)
