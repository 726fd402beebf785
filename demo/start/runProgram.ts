/** What parsing a command line gives: the options, one sentence that says what is wrong, or the wish for help. */
export type ParsedOptions<T> = T | { readonly error: string } | 'help'

/**
 * Runs a program and ends the process with its exit code: 1 if it throws, with `failure` and the message of the error; 2 if
 * its command line is invalid.
 */
export async function runProgram<T extends object>(
  options: ParsedOptions<T>,
  { help, failure, main }: { readonly help: string; readonly failure: string; main(options: T): Promise<number> },
): Promise<void> {
  if (options === 'help') {
    process.stdout.write(`${help}\n`)
  } else if ('error' in options) {
    process.stderr.write(`${options.error}\n\n${help}\n`)
    process.exitCode = 2
  } else {
    process.exit(
      await main(options).catch((error: Error) => {
        process.stderr.write(`${failure}${error.message}\n`)
        return 1
      }),
    )
  }
}
