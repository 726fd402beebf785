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
    .description('write the alert rules and contact points for Grafana, or for Alertmanager. Needs no agent')
    .argument('<file>', 'which agents there are and whose contacts are called (docs/alert-rules.md)')
    .option('--output <folder>', 'Grafana’s folder provisioning/alerting')
    .option('--alertmanager <file>', 'where an example for Alertmanager is written')
    .option('--json', 'one JSON value per line, for machines')
    .action(run(writeProvisioning))
}

async function writeProvisioning(terminal: Terminal, path: string, options: ProvisioningOptions): Promise<ExitCode> {
  const out = createOutput(terminal, options.json ?? false)
  if (options.output === undefined && options.alertmanager === undefined)
    throw usageError('Say what is to be written: --output <folder> for Grafana, --alertmanager <file>.')
  // Loaded here: it brings PostgreSQL's parser, which no other command needs.
  const [
    { readAlertingFile: readAlerting },
    { provision },
    { readPrometheusRules: readRules },
    { RolloutFileError: RolloutFaults },
  ] = await Promise.all([
    import('../../provisioning/readAlertingFile.ts'),
    import('../../provisioning/provision.ts'),
    import('../../provisioning/prometheusRules.ts'),
    import('../../rollout/compileRollout.ts'),
  ])
  const alerting = await readAlerting(resolve(terminal.cwd, path)).catch((error: unknown) => {
    if (!(error instanceof RolloutFaults)) throw error
    throw new CliError(ExitCode.failed, 'faults', `${path} cannot be used:`, error.faults)
  })
  const { file, rollouts } = alerting
  const withoutSecret = file.agents.filter(
    ({ secretFile, secretVariable }) => (secretFile ?? secretVariable) === undefined,
  )
  if (options.output !== undefined && withoutSecret.length > 0)
    throw usageError(
      `${path}: ${withoutSecret.map(({ name }) => name).join(', ')} needs secretFile or secretVariable for Grafana.`,
    )
  const { grafana, alertmanager, unreachable } = provision(file, await readRules(), rollouts)
  const files = [
    ...(options.output === undefined
      ? []
      : grafana.map(({ name, text }) => ({ to: join(options.output!, name), text }))),
    ...(options.alertmanager === undefined ? [] : [{ to: options.alertmanager, text: alertmanager }]),
  ]
  for (const { to, text } of files) {
    await writeTextFile(resolve(terminal.cwd, to), text)
    out.line(`Written: ${to}`)
  }
  for (const sentence of unreachable) out.note(`Warning: ${sentence}.`)
  out.value({ written: files.map(({ to }) => to), unreachable })
  return ExitCode.done
}

async function writeTextFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new CliError(ExitCode.failed, 'not-written', `${path} cannot be written (${reason}).`)
  }
}
