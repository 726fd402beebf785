import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { errorMessage } from '../../database/errors.ts'
import type { DatabaseTraces } from '../../database/removal.ts'
import type { ServerTraces, ServerUrls } from '../../provisioning/runningServers.ts'
import { httpUrlFault } from '../../format/url.ts'
import { AgentUnreachableError } from '../agentClient.ts'
import { addTargetOptions, openCommandTarget, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import { requireDatabaseUrl } from '../databaseOption.ts'
import type { EnvironmentTarget } from '../environmentTarget.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import { createOutput, type Output, type Terminal } from '../terminal.ts'
import { rollbackAll } from './rollback.ts'

interface UninstallOptions extends CommonOptions {
  readonly database: string
  readonly confirm?: string
  readonly export?: string
  readonly grafana?: string
  readonly prometheus?: string
  readonly alertmanagerUrl?: string
  readonly discardArchives?: boolean
  readonly reason?: string
}

const DROP_TIMEOUT_MS = 60_000
/** Stages in which a table has nothing of a rollout that a rollback would remove. */
const CLEAN_STAGES = ['new', 'rolled-back', 'dropped']

export const registerUninstall: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('uninstall'))
    .description('Walk through the removal of STI from an environment, and check that nothing is left')
    .requiredOption('--database <url>', 'Database of the environment, as the owner of schema sti')
    .option('--confirm <environment>', 'Roll back, and drop schema sti; without it, only show what is left')
    .option('--export <folder>', 'Folder for reports and the log of operations (default: sti-export-<environment>)')
    .option('--grafana <url>', 'Also check Grafana (token: STI_GRAFANA_TOKEN)')
    .option('--prometheus <url>', 'Also check Prometheus')
    .option('--alertmanager-url <url>', 'Also check Alertmanager')
    .option('--discard-archives', 'Drop schema sti although it has archives of dropped columns')
    .option('--reason <text>', 'Reason, recorded with the rollbacks')
    .action(run(uninstall))
}

/**
 * Each run does what it can, in the order in which nobody is paged, and ends at the first step that is a person's. Running
 * it again continues.
 */
async function uninstall(terminal: Terminal, options: UninstallOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  await requireDatabaseUrl(options.database)
  const urls = readServerUrls(options)
  const before = await readServers(urls, terminal)
  if (before.alerting.length > 0)
    return waitFor(output, 'alerting', before.alerting, [
      'Remove the rules and receivers first, so that stopping the agents pages nobody.',
      'Grafana: sti provisioning alerting.yaml --remove --output <folder>. Prometheus and Alertmanager: restore your own files.',
    ])
  output.line(`alerting     ${describeServers(urls)}`)
  const rolledBack = await rollBackRollouts(terminal, options, output)
  if (rolledBack !== ExitCode.done) return rolledBack
  const databaseExit = await removeFromDatabase(options, output)
  if (databaseExit !== ExitCode.done) return databaseExit
  const after = await readServers(urls, terminal)
  if (after.others.length > 0)
    return waitFor(output, 'servers', after.others, [
      'Grafana deletes a provisioned data source only if a file says so (deleteDatasources); the section Uninstall of docs/operations.md has the commands.',
      'Prometheus: remove the job, then reload or restart it.',
    ])
  output.line(`servers      ${describeServers(urls)}`)
  output.line('Nothing of STI is left in what was checked.')
  output.value({ step: 'done', left: [] })
  return ExitCode.done
}

function readServerUrls({ grafana, prometheus, alertmanagerUrl }: UninstallOptions): ServerUrls {
  for (const [name, url] of Object.entries({ grafana, prometheus, 'alertmanager-url': alertmanagerUrl })) {
    const fault = url === undefined ? null : httpUrlFault(url)
    if (fault !== null) throw usageError(`--${name} ${fault}.`)
  }
  return { grafana: grafana ?? null, prometheus: prometheus ?? null, alertmanager: alertmanagerUrl ?? null }
}

async function readServers(urls: ServerUrls, terminal: Terminal): Promise<ServerTraces> {
  const { readServerTraces, ServerCheckError } = await import('../../provisioning/runningServers.ts')
  try {
    return await readServerTraces(urls, terminal.env['STI_GRAFANA_TOKEN'] ?? null)
  } catch (error) {
    if (!(error instanceof ServerCheckError)) throw error
    throw new CliError(ExitCode.inconclusive, error.code, `${error.message}.`)
  }
}

function describeServers(urls: ServerUrls): string {
  const names = Object.entries({
    '--grafana': urls.grafana,
    '--prometheus': urls.prometheus,
    '--alertmanager-url': urls.alertmanager,
  })
  const skipped = names.filter(([, url]) => url === null).map(([name]) => name)
  return skipped.length === 0 ? 'nothing left' : `nothing left; not checked without ${skipped.join(', ')}`
}

/** Prints what is left and what to do; the step is a person's. */
function waitFor(output: Output, step: string, left: readonly string[], advice: readonly string[]): ExitCode {
  for (const sentence of left) output.line(`${step.padEnd(12)} left: ${sentence}`)
  for (const sentence of advice) output.line(`  ${sentence}`)
  output.line('  Then run sti uninstall again.')
  output.value({ step, left, advice })
  return ExitCode.waiting
}

async function rollBackRollouts(terminal: Terminal, options: UninstallOptions, output: Output): Promise<ExitCode> {
  let target: EnvironmentTarget
  try {
    target = (await openCommandTarget(terminal, options)).target
  } catch (error) {
    if (!(error instanceof AgentUnreachableError)) throw error
    output.line('rollouts     no agent responds; the database shows if anything is left')
    return ExitCode.done
  }
  if (options.confirm !== undefined && options.confirm !== target.environment)
    throw usageError(`--confirm must be the name of the environment, ${target.environment}. Nothing was changed.`)
  const summaries = await target.agent.rollouts()
  for (const { rollout, stage } of summaries) {
    if (CLEAN_STAGES.includes(stage)) continue
    if (options.confirm === undefined)
      return waitFor(
        output,
        'rollouts',
        [`${rollout} is ${stage}`],
        [`With --confirm ${target.environment} it is rolled back.`],
      )
    const code = await rollbackAll(terminal, {
      ...options,
      rollout,
      confirm: rollout,
      fullRollback: true,
      reason: options.reason ?? 'uninstall',
    })
    if (code !== ExitCode.done) return code
  }
  const folder = options.export ?? `sti-export-${target.environment}`
  if (options.confirm !== undefined) await exportRecords(terminal, target, folder, output)
  output.line(
    `rollouts     ${summaries.map(({ rollout, stage }) => `${rollout}: ${CLEAN_STAGES.includes(stage) ? stage : 'rolled back'}`).join(', ')}`,
  )
  return ExitCode.done
}

/** What the schema has and nothing else keeps. */
async function exportRecords(
  terminal: Terminal,
  target: EnvironmentTarget,
  folder: string,
  output: Output,
): Promise<void> {
  const { agent, status } = target
  try {
    await mkdir(resolve(terminal.cwd, folder), { recursive: true })
    for (const rollout of status.rollouts) {
      const path = (name: string): string => resolve(terminal.cwd, join(folder, `${rollout}-${name}.json`))
      await writeFile(path('report'), await agent.report(rollout, 'json'))
      await writeFile(path('operations'), `${JSON.stringify(await agent.operations(rollout), null, 2)}\n`)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (error instanceof CliError) throw error
    throw new CliError(ExitCode.failed, 'output', `Cannot write the export to ${folder}: ${code ?? message}.`)
  }
  output.line(`export       ${folder}`)
}

async function removeFromDatabase(options: UninstallOptions, output: Output): Promise<ExitCode> {
  const [{ connect }, { dropSchema, readTraces }] = await Promise.all([
    import('../../database/connect.ts'),
    import('../../database/removal.ts'),
  ])
  const database = connect(options.database, 'uninstall')
  try {
    const sql = database.engine({ purpose: 'removal', statementTimeoutMs: DROP_TIMEOUT_MS })
    const traces = await readTraces(sql)
    if (!traces.hasSchema) {
      output.line('database     nothing left')
    } else {
      const obstacle = findObstacle(traces, options, output)
      if (obstacle !== null) return obstacle
      await dropSchema(sql)
      output.line('database     schema sti is dropped')
    }
    output.line(
      `role         if ${traces.role} is the agent's: revoke its memberships, DROP OWNED BY ${traces.role}, DROP ROLE ${traces.role}`,
    )
    return ExitCode.done
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(ExitCode.failed, 'database', `Cannot remove STI from the database: ${errorMessage(error)}`)
  } finally {
    await database.close()
  }
}

/** The exit code of a step that is a person's; null: the schema can be dropped. */
function findObstacle(
  { sessions, triggers, archives, environment }: DatabaseTraces,
  { confirm, discardArchives }: UninstallOptions,
  output: Output,
): ExitCode | null {
  if (sessions.length > 0)
    return waitFor(
      output,
      'agents',
      [...new Set(sessions.map((name) => name.split(' ').slice(0, 2).join(' ')))],
      ['Stop every agent of the environment.'],
    )
  if (triggers.length > 0)
    return waitFor(output, 'database', triggers, [
      'Start an agent and roll back: sti rollback all. The schema is kept.',
    ])
  if (archives.length > 0 && !discardArchives)
    return waitFor(
      output,
      'database',
      archives.map((name) => `archive sti.${name}`),
      ['Start an agent and export it: sti remove-archive --export-archive. Or drop it with --discard-archives.'],
    )
  if (confirm === undefined)
    return waitFor(
      output,
      'database',
      ['schema sti'],
      ['With --confirm and the name of the environment it is dropped.'],
    )
  if (environment !== null && confirm !== environment)
    throw usageError(`--confirm must be the name of the environment, ${environment}. Nothing was dropped.`)
  return null
}
