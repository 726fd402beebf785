import { createAgentClient } from '../agentClient.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { loadCommandSettings, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import { connectTarget, type TargetOptions } from '../environmentTarget.ts'
import type { CliSettings } from '../cliSettings.ts'
import type { Output, Terminal } from '../terminal.ts'
import { alignColumns, formatRolloutDetail, SUMMARY_COLUMNS, formatSummaryRows } from '../formatResponses.ts'

export const registerStatus: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('status'))
    .description('rollouts of every configured environment; with --rollout, or where there is one only, all about it')
    .action(run(showStatus))
}

async function showStatus(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { settings, output } = await loadCommandSettings(terminal, options)
  const environments = await Promise.all(
    selectEnvironments(settings, options).map((environment) => readEnvironment(settings, environment, options)),
  )
  const faults = environments.flatMap(({ fault }) => (fault ? [fault] : []))
  const summaries = environments.flatMap(({ rollouts }) => rollouts)
  if (options.rollout !== undefined && summaries.length === 0 && faults.length === 0) {
    throw new CliError(ExitCode.usage, 'unknown-rollout', `No configured environment has a rollout ${options.rollout}.`)
  }
  await printStatus(output, environments)
  for (const fault of faults) terminal.stderr.write(`sti: ${fault.message}\n`)
  return faults[0]?.exitCode ?? ExitCode.done
}

type EnvironmentStatus = Awaited<ReturnType<typeof readEnvironment>>

async function readEnvironment(settings: CliSettings, environment: string, options: TargetOptions) {
  try {
    const agents = (settings.environments.get(environment) ?? []).map(createAgentClient)
    const target = await connectTarget(agents, environment || options.environment)
    const rollouts = await target.agent.rollouts()
    const matching = rollouts.filter((rollout) => options.rollout === undefined || rollout.rollout === options.rollout)
    return { target, rollouts: matching, fault: null }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { target: null, rollouts: [], fault: error }
  }
}

async function printStatus(output: Output, environments: readonly EnvironmentStatus[]): Promise<void> {
  const all = environments.flatMap(({ target, rollouts }) => (target ? rollouts.map((one) => ({ target, one })) : []))
  for (const { one } of all) output.value(one)
  if (output.json || all.length === 0) return
  const [only, second] = all
  if (only && !second) {
    for (const line of formatRolloutDetail(await only.target.agent.rollout(only.one.rollout))) output.line(line)
    return
  }
  for (const line of alignColumns([SUMMARY_COLUMNS, ...formatSummaryRows(all.map(({ one }) => one))])) output.line(line)
}

function selectEnvironments(settings: CliSettings, options: TargetOptions): string[] {
  const names = [...settings.environments.keys()]
  if (options.environment === undefined || names.includes('')) return names
  if (names.includes(options.environment)) return [options.environment]
  throw new CliError(
    ExitCode.usage,
    'usage',
    `No agent of environment ${options.environment} is configured; there are: ${names.join(', ')}.`,
  )
}
