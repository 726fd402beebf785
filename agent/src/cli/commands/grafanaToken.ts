import { readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { displayUrl, httpUrlFault, splitCredentials } from '../../format/url.ts'
import { createGrafanaToken, deleteServiceAccount, isGrafanaTokenAccepted } from '../../provisioning/grafanaToken.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Output, type Terminal } from '../terminal.ts'

interface GrafanaTokenOptions {
  readonly grafana: string
  readonly output?: string
  readonly remove?: boolean
  readonly name: string
  readonly user: string
  readonly passwordFile?: string
  readonly json?: boolean
}

export const registerGrafanaToken: RegisterCommand = (program, run) => {
  program
    .command('grafana-token')
    .description('Give an agent a service account of its own in Grafana, with which its readiness reads the dashboard')
    .requiredOption('--grafana <url>', 'URL of Grafana')
    .option('--output <file>', 'File for the token, to be named in STI_GRAFANA_TOKEN_FILE of the agent')
    .option('--remove', 'Delete the service account and all its tokens instead')
    .option('--name <name>', 'Name of the service account', 'sti-agent')
    .option('--user <name>', 'User of Grafana who may create service accounts', 'admin')
    .option('--password-file <file>', 'File with that user’s password (default: GRAFANA_PASSWORD)')
    .option('--json', 'Print one JSON value per line')
    .action(run(writeGrafanaToken))
}

/** Idempotent: a file whose token Grafana still accepts is kept. */
async function writeGrafanaToken(terminal: Terminal, options: GrafanaTokenOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  const fault = httpUrlFault(options.grafana, 'refused')
  if (fault !== null) throw usageError(`--grafana ${fault}.`)
  const url = splitCredentials(options.grafana).url.href
  try {
    if (options.remove) await removeAccount(url, terminal, options, output)
    else await writeToken(url, terminal, options, output)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(
      ExitCode.failed,
      'no-token',
      `${displayUrl(url)} refused: ${(error as Error).message}. Check the URL, the user and the password.`,
    )
  }
  return ExitCode.done
}

async function writeToken(
  url: string,
  terminal: Terminal,
  options: GrafanaTokenOptions,
  output: Output,
): Promise<void> {
  if (options.output === undefined) throw usageError('Specify the file for the token (--output), or --remove.')
  const file = resolve(terminal.cwd, options.output)
  const existing = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (existing !== '' && (await isGrafanaTokenAccepted(url, existing))) {
    output.value({ written: null, account: options.name })
    output.line(`Grafana accepts the token in ${options.output}. Nothing was changed.`)
    return
  }
  const password = await readPassword(terminal, options)
  const token = await createGrafanaToken({ url, user: options.user, password }, options.name)
  // Renamed into place, since an agent may read the file at any moment.
  await writeFile(`${file}.new`, `${token}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
  output.value({ written: options.output, account: options.name })
  output.line(`Written: ${options.output}, a token of the service account ${options.name} with the role Viewer.`)
  output.line('Set STI_GRAFANA_TOKEN_FILE of the agent to this file. It is read again every 30 s.')
}

async function removeAccount(
  url: string,
  terminal: Terminal,
  options: GrafanaTokenOptions,
  output: Output,
): Promise<void> {
  const { name, user } = options
  const password = await readPassword(terminal, options)
  const removed = await deleteServiceAccount({ url, user, password }, name)
  output.value({ removed, account: name })
  output.line(removed ? `Deleted: the service account ${name}.` : `Grafana has no service account ${name}.`)
}

async function readPassword({ cwd, env }: Terminal, { passwordFile }: GrafanaTokenOptions): Promise<string> {
  if (passwordFile === undefined) {
    const password = env['GRAFANA_PASSWORD']
    if (password) return password
    throw usageError('Specify the password of the user in Grafana: --password-file, or GRAFANA_PASSWORD.')
  }
  try {
    return (await readFile(resolve(cwd, passwordFile), 'utf8')).trim()
  } catch (error) {
    throw usageError(`Cannot read ${passwordFile} (${(error as NodeJS.ErrnoException).code ?? 'error'}).`)
  }
}
