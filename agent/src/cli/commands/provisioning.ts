import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Terminal } from '../terminal.ts'

interface ProvisioningOptions {
  readonly output?: string
  readonly alertmanager?: string
  readonly json?: boolean
}

export const registerProvisioning: RegisterCommand = (program, run) => {
  program
    .command('provisioning')
    .description('Write the alert rules and contact points for Grafana or Alertmanager; needs no agent')
    .argument('<file>', 'Alerting file that lists the agents and the contacts to page (docs/alert-rules.md)')
    .option('--output <folder>', 'Grafana’s provisioning/alerting folder')
    .option('--alertmanager <file>', 'Alertmanager configuration file to write')
    .option('--json', 'Print one JSON value per line')
    .action(run(writeProvisioning))
}

async function writeProvisioning(terminal: Terminal, path: string, options: ProvisioningOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  if (options.output === undefined && options.alertmanager === undefined)
    throw usageError('Specify what to write: --output <folder> for Grafana, --alertmanager <file>, or both.')
  // A dynamic import, since it loads PostgreSQL's parser, which most commands do not need.
  const [{ readAlertingFile }, { provision }, { readPrometheusRules }, { RolloutFileError }] = await Promise.all([
    import('../../provisioning/readAlertingFile.ts'),
    import('../../provisioning/provision.ts'),
    import('../../provisioning/prometheusRules.ts'),
    import('../../rollout/compileRollout.ts'),
  ])
  const alerting = await readAlertingFile(resolve(terminal.cwd, path)).catch((error: unknown) => {
    if (!(error instanceof RolloutFileError)) throw error
    throw new CliError(ExitCode.failed, 'faults', `${path} is not valid:`, error.faults)
  })
  const { file, rollouts } = alerting
  const withoutSecret = file.agents.filter(
    ({ secretFile, secretVariable }) => (secretFile ?? secretVariable) === undefined,
  )
  if (options.output !== undefined && withoutSecret.length > 0)
    throw usageError(
      `${path}: set secretFile or secretVariable for ${withoutSecret.map(({ name }) => name).join(', ')}. Grafana requires it.`,
    )
  const { grafana, alertmanager, unreachable } = provision(file, await readPrometheusRules(), rollouts)
  const files = [
    ...(options.output === undefined
      ? []
      : grafana.map(({ name, text }) => ({ to: join(options.output!, name), text }))),
    ...(options.alertmanager === undefined ? [] : [{ to: options.alertmanager, text: alertmanager }]),
  ]
  for (const { to, text } of files) {
    await writeTextFile(resolve(terminal.cwd, to), text)
    output.line(`Written: ${to}`)
  }
  for (const sentence of unreachable) output.note(`Warning: ${sentence}.`)
  output.value({ written: files.map(({ to }) => to), unreachable })
  return ExitCode.done
}

async function writeTextFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new CliError(ExitCode.failed, 'not-written', `Cannot write ${path} (${reason}).`)
  }
}
