import { usageError } from './exitCode.ts'

/** @throws CliError if the value of `--database` is no URL of a database; the message never has the value */
export async function requireDatabaseUrl(url: string): Promise<void> {
  const { ConnectionUrlError, parseConnectionUrl } = await import('../database/connectionUrl.ts')
  try {
    parseConnectionUrl(url)
  } catch (error) {
    if (!(error instanceof ConnectionUrlError)) throw error
    throw usageError(`--database ${error.message}.`)
  }
}
