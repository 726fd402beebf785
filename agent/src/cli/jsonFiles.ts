import { access, constants, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CliError, ExitCode, usageError } from './exitCode.ts'
import type { Terminal } from './terminal.ts'

/** @throws CliError usage: the file cannot be read, or is no JSON */
export async function readJsonFile(terminal: Terminal, path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(resolve(terminal.cwd, path), 'utf8')
  } catch (error) {
    throw usageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}).`)
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw usageError(`${path} is not JSON.`)
  }
}

/**
 * Looks whether a file can be written, before what takes long is started for it.
 *
 * @throws CliError usage: it is a folder, may not be written, or has no folder to stand in
 */
export async function requireWritable(terminal: Terminal, path: string): Promise<void> {
  const file = resolve(terminal.cwd, path)
  const stats = await stat(file).catch(() => null)
  if (stats?.isDirectory()) throw usageError(`${path} is a folder: name a file.`)
  await access(stats ? file : dirname(file), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'its folder does not exist' : (error.code ?? 'error')
    throw usageError(`${path} cannot be written (${reason}).`)
  })
}

/** One line for each entry of a list, so that two files can be compared. */
export async function writeJsonFile(terminal: Terminal, path: string, value: object): Promise<void> {
  const entries = Object.entries(value).map(([key, inner]) => {
    const lines = Array.isArray(inner) && inner.length > 0 ? formatEntries(inner) : JSON.stringify(inner)
    return `  ${JSON.stringify(key)}: ${lines}`
  })
  try {
    await writeFile(resolve(terminal.cwd, path), `{\n${entries.join(',\n')}\n}\n`)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error'
    throw new CliError(ExitCode.failed, 'not-written', `${path} cannot be written (${code}).`)
  }
}

const formatEntries = (entries: readonly unknown[]): string =>
  `[\n${entries.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`
