import { createAgentClient } from '../agentClient.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { loadCommandSettings, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import { connectTarget, unknownEnvironmentError, type TargetOptions } from '../environmentTarget.ts'
import type { CliSettings } from '../cliSettings.ts'
import { writeError, type Output, type Terminal } from '../terminal.ts'
import { formatRolloutDetail, SUMMARY_COLUMNS, formatSummaryRows } from '../formatResponses.ts'

export const registerStatus: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('status'))
    .description('Show the rollouts of every configured environment, or all details if only one rollout matches')
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
    throw new CliError(
      ExitCode.usage,
      'unknown-rollout',
      `Rollout ${options.rollout} does not exist in any configured environment.`,
    )
  }
  await printStatus(output, environments)
  for (const fault of faults) writeError(terminal, fault, output.json)
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
  const found = environments.flatMap(({ target, rollouts }) =>
    target ? rollouts.map((rollout) => ({ target, rollout })) : [],
  )
  for (const { rollout } of found) output.value(rollout)
  if (output.json || found.length === 0) return
  const [only, second] = found
  if (only && !second) {
    const detail = await only.target.agent.rollout(only.rollout.rollout)
    for (const line of formatRolloutDetail(detail, output.terminal.stdout.columns)) output.line(line)
    return
  }
  const rows = formatSummaryRows(found.map(({ rollout }) => rollout))
  output.table([SUMMARY_COLUMNS, ...rows])
}

function selectEnvironments(settings: CliSettings, options: TargetOptions): string[] {
  const names = [...settings.environments.keys()]
  if (options.environment === undefined || names.includes('')) return names
  if (names.includes(options.environment)) return [options.environment]
  throw unknownEnvironmentError(options.environment, names)
}
