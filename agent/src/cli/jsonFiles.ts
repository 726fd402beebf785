import { access, constants, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CliError, ExitCode, usageError } from './exitCode.ts'
import type { Terminal } from './terminal.ts'

/** @throws CliError usage: the file cannot be read or is not JSON */
export async function readJsonFile(terminal: Terminal, path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(resolve(terminal.cwd, path), 'utf8')
  } catch (error) {
    throw usageError(`Cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? 'error'}).`)
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw usageError(`${path} is not JSON.`)
  }
}

/**
 * Checks that a file can be written, before an operation that takes long starts.
 *
 * @throws CliError usage: the path is a folder, is not writable, or its folder does not exist
 */
export async function requireWritable(terminal: Terminal, path: string): Promise<void> {
  const file = resolve(terminal.cwd, path)
  const stats = await stat(file).catch(() => null)
  if (stats?.isDirectory()) throw usageError(`${path} is a folder. Specify a file.`)
  await access(stats ? file : dirname(file), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'its folder does not exist' : (error.code ?? 'error')
    throw usageError(`Cannot write ${path} (${reason}).`)
  })
}

/**
 * Writes one line per list entry, so that two files can be compared with a line diff.
 *
 * @throws CliError not-written
 */
export async function writeJsonFile(terminal: Terminal, path: string, value: object): Promise<void> {
  const entries = Object.entries(value).map(([key, inner]) => {
    const lines = Array.isArray(inner) && inner.length > 0 ? formatEntries(inner) : JSON.stringify(inner)
    return `  ${JSON.stringify(key)}: ${lines}`
  })
  try {
    await writeFile(resolve(terminal.cwd, path), `{\n${entries.join(',\n')}\n}\n`)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error'
    throw new CliError(ExitCode.failed, 'not-written', `Cannot write ${path} (${code}).`)
  }
}

const formatEntries = (entries: readonly unknown[]): string =>
  `[\n${entries.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`
