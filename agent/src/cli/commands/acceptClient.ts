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
    .description('a flag client that went silent while its last answer was on is known to be gone')
    .argument('<client>', 'its name, as sti status --json shows it')
    .option('--reason <text>', 'how you know')
    .action(run(acceptClient))
}

export const registerAdopt: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('adopt'))
    .description('the state in this database came with a clone, a restore or a failover, and is now this environment’s')
    .option('--reason <text>', 'how you know')
    .action(run(adopt))
}

async function acceptClient(terminal: Terminal, client: string, options: AcceptClientOptions): Promise<ExitCode> {
  if (!options.reason) throw usageError('This needs --reason: how you know that the client is gone.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  output.value(await target.agent.acceptClient(rollout.rollout, { client, reason: options.reason }))
  output.line(`Accepted that ${client} is gone.`)
  return ExitCode.done
}

async function adopt(terminal: Terminal, options: AcceptClientOptions): Promise<ExitCode> {
  if (!options.reason) throw usageError('This needs --reason: how you know that the state belongs here.')
  const { target, output } = await openCommandTarget(terminal, options)
  output.value(await target.agent.adopt({ environment: target.environment, reason: options.reason }))
  output.line(`The state in this database now belongs to ${target.environment}.`)
  return ExitCode.done
}
