import { agentClient } from '../client.ts'
import { CliError, Exit } from '../exit.ts'
import { openSettings, withTarget, type CommonOptions, type Register } from '../session.ts'
import { openTarget, type TargetOptions } from '../target.ts'
import type { Settings } from '../settings.ts'
import type { Output, Terminal } from '../terminal.ts'
import { columns, detailLines, summaryHead, summaryRows } from '../text.ts'

export const registerStatus: Register = (program, run) => {
  withTarget(program.command('status'))
    .description('rollouts of every configured environment; with --rollout, or where there is one only, all about it')
    .action(run(status))
}

async function status(terminal: Terminal, options: CommonOptions): Promise<Exit> {
  const { settings, output } = await openSettings(terminal, options)
  const asked = await Promise.all(chosen(settings, options).map((environment) => ask(settings, environment, options)))
  const faults = asked.flatMap(({ fault }) => (fault ? [fault] : []))
  const summaries = asked.flatMap(({ rollouts }) => rollouts)
  if (options.rollout !== undefined && summaries.length === 0 && faults.length === 0) {
    throw new CliError(Exit.usage, 'unknown-rollout', `No configured environment has a rollout ${options.rollout}.`)
  }
  await show(output, asked)
  for (const fault of faults) terminal.stderr.write(`sti: ${fault.message}\n`)
  return faults[0]?.exit ?? Exit.done
}

type Asked = Awaited<ReturnType<typeof ask>>

async function ask(settings: Settings, environment: string, options: TargetOptions) {
  try {
    const agents = (settings.environments.get(environment) ?? []).map(agentClient)
    const target = await openTarget(agents, environment || options.environment)
    const rollouts = await target.agent.rollouts()
    const wanted = rollouts.filter((one) => options.rollout === undefined || one.rollout === options.rollout)
    return { target, rollouts: wanted, fault: null }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { target: null, rollouts: [], fault: error }
  }
}

async function show(output: Output, asked: readonly Asked[]): Promise<void> {
  const all = asked.flatMap(({ target, rollouts }) => (target ? rollouts.map((one) => ({ target, one })) : []))
  for (const { one } of all) output.value(one)
  if (output.json || all.length === 0) return
  const [only, second] = all
  if (only && !second) {
    for (const line of detailLines(await only.target.agent.rollout(only.one.rollout))) output.line(line)
    return
  }
  for (const line of columns([summaryHead, ...summaryRows(all.map(({ one }) => one))])) output.line(line)
}

function chosen(settings: Settings, options: TargetOptions): string[] {
  const names = [...settings.environments.keys()]
  if (options.environment === undefined || names.includes('')) return names
  if (names.includes(options.environment)) return [options.environment]
  throw new CliError(
    Exit.usage,
    'usage',
    `No agent of environment ${options.environment} is configured; there are: ${names.join(', ')}.`,
  )
}
