import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { ProvisioningFiles } from '../../provisioning/provision.ts'
import type { RuleGroup } from '../../provisioning/prometheusRules.ts'
import type { AlertingInput } from '../../provisioning/readAlertingFile.ts'
import { httpUrlFault } from '../../format/url.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Terminal } from '../terminal.ts'

interface ProvisioningOptions {
  readonly output?: string
  readonly alertmanager?: string
  readonly check?: boolean
  readonly grafana?: string
  readonly alertmanagerUrl?: string
  readonly prometheus?: string
  readonly allowUnreachable?: boolean
  readonly remove?: boolean
  readonly json?: boolean
}

export const registerProvisioning: RegisterCommand = (program, run) => {
  program
    .command('provisioning')
    .description('Write the alert rules and contact points for Grafana or Alertmanager; needs no agent')
    .argument('<file>', 'Alerting file that lists the agents and the contacts to page (docs/alert-rules.md)')
    .option('--output <folder>', 'Grafana’s provisioning/alerting folder')
    .option('--alertmanager <file>', 'Alertmanager configuration file to write')
    .option('--check', 'Write nothing; check what would be written, and the servers of the next three options')
    .option(
      '--grafana <url>',
      'Running Grafana, asked for contact points and the data source (token: STI_GRAFANA_TOKEN)',
    )
    .option('--alertmanager-url <url>', 'Running Alertmanager, whose configuration --check compares')
    .option('--prometheus <url>', 'Running Prometheus that sends alerts to it: --check looks for its rules')
    .option('--allow-unreachable', 'Write the files although a contact cannot be paged')
    .option('--remove', 'Write files that make Grafana delete the rules and contact points')
    .option('--json', 'Print one JSON value per line')
    .action(run(writeProvisioning))
}

async function writeProvisioning(terminal: Terminal, path: string, options: ProvisioningOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  requireTask(options)
  // A dynamic import, since it loads PostgreSQL's parser, which most commands do not need.
  const [{ readAlertingFile }, { provision, removal }, { readPrometheusRules }, { RolloutFileError }] =
    await Promise.all([
      import('../../provisioning/readAlertingFile.ts'),
      import('../../provisioning/provision.ts'),
      import('../../provisioning/prometheusRules.ts'),
      import('../../rollout/compileRollout.ts'),
    ])
  const input = await readAlertingFile(resolve(terminal.cwd, path)).catch((error: unknown) => {
    if (!(error instanceof RolloutFileError)) throw error
    throw new CliError(ExitCode.failed, 'faults', `${path} is not valid:`, error.faults)
  })
  const groups = await readPrometheusRules()
  const files = provision(input.file, groups, input.rollouts, input.alertmanagerBase)
  if (options.remove) {
    const deletions = { ...files, grafana: removal(input.file, files) }
    const written = await writeFiles(terminal, options, deletions)
    for (const to of written) output.line(`Written: ${to}`)
    output.line('Restart Grafana, which then deletes its rules and contact points. Then delete the files.')
    output.value({ written, notes: [] })
    return ExitCode.done
  }
  const faults = [
    ...(options.allowUnreachable ? [] : files.unreachable),
    ...(await findFaults(terminal, options, input, files)),
    ...(await findFaultsOfPrometheus(options, groups)),
  ]
  if (faults.length > 0) {
    const outcome = options.check
      ? 'These alerts would not arrive'
      : 'Nothing was written, because alerts would not arrive'
    throw new CliError(
      ExitCode.failed,
      'not-deliverable',
      `${path}: ${outcome}:`,
      faults.map((fault) => `${fault}.`),
    )
  }
  const notes = [...files.notes, ...files.unreachable]
  for (const sentence of notes) output.note(`Warning: ${sentence}.`)
  const written = options.check ? [] : await writeFiles(terminal, options, files)
  for (const to of written) output.line(`Written: ${to}`)
  if (options.check) output.line(`${path}: ${describeCheck(options)}`)
  output.value({ written, notes })
  return ExitCode.done
}

function requireTask(options: ProvisioningOptions): void {
  const { output, alertmanager, check, grafana, alertmanagerUrl, prometheus, remove } = options
  const other = alertmanager ?? grafana ?? alertmanagerUrl ?? prometheus
  if (remove && (output === undefined || other !== undefined || check))
    throw usageError('--remove needs --output, and no other option: Alertmanager gets your own configuration back.')
  if (check && (output ?? other) === undefined)
    throw usageError('Specify what to check: --output, --alertmanager, --grafana, --alertmanager-url or --prometheus.')
  if (!check && output === undefined && alertmanager === undefined)
    throw usageError('Specify what to write: --output <folder> for Grafana, --alertmanager <file>, or both.')
  if (!check && alertmanagerUrl !== undefined) throw usageError('--alertmanager-url requires --check.')
  if (!check && prometheus !== undefined) throw usageError('--prometheus requires --check.')
  const urls = { '--grafana': grafana, '--alertmanager-url': alertmanagerUrl, '--prometheus': prometheus }
  for (const [name, url] of Object.entries(urls)) {
    const fault = url === undefined ? null : httpUrlFault(url)
    if (fault !== null) throw usageError(`${name} ${fault}.`)
  }
}

/** What would keep alerts from arriving, in the files and in the servers of the options. */
async function findFaults(
  terminal: Terminal,
  { output, alertmanager, check, grafana, alertmanagerUrl }: ProvisioningOptions,
  { file, alertmanagerBase }: AlertingInput,
  files: ProvisioningFiles,
): Promise<string[]> {
  const [{ grafanaFaults }, { alertmanagerFaults }, { checkAlertmanager, checkGrafana, ServerCheckError }] =
    await Promise.all([
      import('../../provisioning/grafanaFaults.ts'),
      import('../../provisioning/alertmanagerConfig.ts'),
      import('../../provisioning/runningServers.ts'),
    ])
  const faults: string[] = []
  try {
    const token = terminal.env['STI_GRAFANA_TOKEN'] ?? null
    const loaded = check && output === undefined ? files.ruleUids : []
    const running = grafana === undefined ? null : await checkGrafana(grafana, token, file, loaded)
    if (output !== undefined || running !== null) {
      const folder = output === undefined ? null : resolve(terminal.cwd, output)
      faults.push(...(await grafanaFaults(file, files.escalation, folder, running?.contactPoints ?? null)))
      faults.push(...(running?.faults ?? []))
    }
    if (alertmanager === undefined && alertmanagerUrl === undefined) return faults
    if (alertmanagerBase === null || files.alertmanager === null)
      return [
        ...faults,
        'Set alertmanagerBase to your own Alertmanager configuration, to which STI’s receivers are added',
      ]
    faults.push(...alertmanagerFaults(alertmanagerBase, file, files.escalation))
    if (alertmanagerUrl !== undefined) faults.push(...(await checkAlertmanager(alertmanagerUrl, files.alertmanager)))
  } catch (error) {
    if (!(error instanceof ServerCheckError)) throw error
    throw new CliError(ExitCode.inconclusive, error.code, `${error.message}.`)
  }
  return faults
}

/** What would keep the alerts of Prometheus from Alertmanager. */
async function findFaultsOfPrometheus(
  { prometheus }: ProvisioningOptions,
  groups: readonly RuleGroup[],
): Promise<readonly string[]> {
  if (prometheus === undefined) return []
  const { checkPrometheus, ServerCheckError } = await import('../../provisioning/runningServers.ts')
  try {
    return await checkPrometheus(
      prometheus,
      groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)),
    )
  } catch (error) {
    if (!(error instanceof ServerCheckError)) throw error
    throw new CliError(ExitCode.inconclusive, error.code, `${error.message}.`)
  }
}

/** Without Grafana, alerts come from Prometheus, which is checked only if it is named. */
function describeCheck({ grafana, output, alertmanager, alertmanagerUrl, prometheus }: ProvisioningOptions): string {
  const comesFromPrometheus = grafana === undefined && output === undefined
  const isNamed = (alertmanager ?? alertmanagerUrl) !== undefined
  if (comesFromPrometheus && isNamed && prometheus === undefined)
    return 'every alert that Prometheus sends would arrive. Without --prometheus it is not checked that it has the rules.'
  return 'every alert would arrive.'
}

async function writeFiles(
  terminal: Terminal,
  { output, alertmanager }: ProvisioningOptions,
  files: ProvisioningFiles,
): Promise<string[]> {
  const all = [
    ...(output === undefined ? [] : files.grafana.map(({ name, text }) => ({ to: join(output, name), text }))),
    ...(alertmanager === undefined ? [] : [{ to: alertmanager, text: files.alertmanager! }]),
  ]
  for (const { to, text } of all) await writeTextFile(resolve(terminal.cwd, to), text)
  return all.map(({ to }) => to)
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
