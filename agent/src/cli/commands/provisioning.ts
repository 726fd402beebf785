import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CliError, Exit, usage } from '../exit.ts'
import type { Register } from '../session.ts'
import { output, type Terminal } from '../terminal.ts'

interface ProvisioningOptions {
  readonly output?: string
  readonly alertmanager?: string
  readonly json?: boolean
}

export const registerProvisioning: Register = (program, run) => {
  program
    .command('provisioning')
    .description('write the alert rules and contact points for Grafana, or for Alertmanager. Needs no agent')
    .argument('<file>', 'which agents there are and whose contacts are called (docs/alert-rules.md)')
    .option('--output <folder>', 'Grafana’s folder provisioning/alerting')
    .option('--alertmanager <file>', 'where an example for Alertmanager is written')
    .option('--json', 'one JSON value per line, for machines')
    .action(run(provisioning))
}

async function provisioning(terminal: Terminal, path: string, options: ProvisioningOptions): Promise<Exit> {
  const out = output(terminal, options.json ?? false)
  if (options.output === undefined && options.alertmanager === undefined)
    throw usage('Say what is to be written: --output <folder> for Grafana, --alertmanager <file>.')
  // Loaded here: it brings PostgreSQL's parser, which no other command needs.
  const [{ readAlerting }, { provision }, { readRules }, { RolloutFaults }] = await Promise.all([
    import('../../provisioning/read.ts'),
    import('../../provisioning/provision.ts'),
    import('../../provisioning/rules.ts'),
    import('../../rollout/compile.ts'),
  ])
  const alerting = await readAlerting(resolve(terminal.cwd, path)).catch((error: unknown) => {
    if (!(error instanceof RolloutFaults)) throw error
    throw new CliError(Exit.failed, 'faults', `${path} cannot be used:`, error.faults)
  })
  const { file, rollouts } = alerting
  const lacking = file.agents.filter(({ secretFile, secretVariable }) => (secretFile ?? secretVariable) === undefined)
  if (options.output !== undefined && lacking.length > 0)
    throw usage(
      `${path}: ${lacking.map(({ name }) => name).join(', ')} needs secretFile or secretVariable for Grafana.`,
    )
  const { grafana, alertmanager, unreachable } = provision(file, await readRules(), rollouts)
  const files = [
    ...(options.output === undefined
      ? []
      : grafana.map(({ name, text }) => ({ to: join(options.output!, name), text }))),
    ...(options.alertmanager === undefined ? [] : [{ to: options.alertmanager, text: alertmanager }]),
  ]
  for (const { to, text } of files) {
    await write(resolve(terminal.cwd, to), text)
    out.line(`Written: ${to}`)
  }
  for (const sentence of unreachable) out.note(`Warning: ${sentence}.`)
  out.value({ written: files.map(({ to }) => to), unreachable })
  return Exit.done
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new CliError(Exit.failed, 'not-written', `${path} cannot be written (${why}).`)
  }
}
