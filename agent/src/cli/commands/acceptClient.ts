import { ExitCode, usageError } from '../exitCode.ts'
import {
  openCommandRollout,
  openCommandTarget,
  addTargetOptions,
  type CommonOptions,
  type RegisterCommand,
} from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'

interface AcceptClientOptions extends CommonOptions {
  readonly reason?: string
}

export const registerAcceptClient: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('accept-client'))
    .description('Confirm that a silent flag client, last seen with the flag on, no longer runs')
    .argument('<client>', 'Name of the client, as in sti status --json')
    .option('--reason <text>', 'How you know that the client no longer runs (required)')
    .action(run(acceptClient))
}

export const registerAdopt: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('adopt'))
    .description('Adopt the state of a database that was cloned, restored or failed over (requires an admin token)')
    .option('--reason <text>', 'How you know that the state belongs to this environment (required)')
    .action(run(adopt))
}

async function acceptClient(terminal: Terminal, client: string, options: AcceptClientOptions): Promise<ExitCode> {
  if (!options.reason) throw usageError('--reason is required: how you know that the client no longer runs.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  output.value(await target.agent.acceptClient(rollout.rollout, { client, reason: options.reason }))
  output.line(`Client ${client} is accepted as no longer running.`)
  return ExitCode.done
}

async function adopt(terminal: Terminal, options: AcceptClientOptions): Promise<ExitCode> {
  if (!options.reason)
    throw usageError('--reason is required: how you know that the state belongs to this environment.')
  const { target, output } = await openCommandTarget(terminal, options)
  output.value(await target.agent.adopt({ environment: target.environment, reason: options.reason }))
  output.line(`The state in this database now belongs to ${target.environment}.`)
  return ExitCode.done
}
