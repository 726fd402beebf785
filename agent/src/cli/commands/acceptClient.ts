import { describeStaleClients, type FlagClient } from '../../contract/index.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import {
  openCommandRollout,
  openCommandTarget,
  addTargetOptions,
  type CommonOptions,
  type RegisterCommand,
} from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'

interface AdoptOptions extends CommonOptions {
  readonly reason?: string
}

interface AcceptClientOptions extends AdoptOptions {
  readonly all?: boolean
}

export const registerAcceptClient: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('accept-client'))
    .description('Confirm that silent flag clients, last seen with the flag on, no longer run')
    .argument('[clients...]', 'Names of the clients, as in sti status')
    .option('--all', 'Every silent client that may still use an older state of the flag')
    .option('--reason <text>', 'How you know that the clients no longer run (required)')
    .action(run(acceptClient))
}

export const registerAdopt: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('adopt'))
    .description('Adopt the state of a database that was cloned, restored or failed over (requires an admin token)')
    .option('--reason <text>', 'How you know that the state belongs to this environment (required)')
    .action(run(adopt))
}

async function acceptClient(
  terminal: Terminal,
  clients: string[],
  { all = false, reason, ...options }: AcceptClientOptions,
): Promise<ExitCode> {
  if (!reason) throw usageError('--reason is required: how you know that the clients no longer run.')
  if (all === clients.length > 0) throw usageError('Name the clients, or use --all.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const before = rollout.flag.clients
  const request = all ? { all: true as const, reason } : { clients, reason }
  const flag = await target.agent.acceptClients(rollout.rollout, request)
  output.value(flag)
  const isAccepted = ({ client, instance }: FlagClient): boolean =>
    flag.clients.some((other) => other.client === client && other.instance === instance && other.acceptedBy !== null)
  const accepted = before.filter((client) => client.acceptedBy === null && isAccepted(client))
  if (accepted.length > 0) output.line(`Accepted: ${[...new Set(accepted.map(({ client }) => client))].join(', ')}.`)
  const stale = describeStaleClients(flag)
  if (stale !== null) output.line(stale)
  return ExitCode.done
}

async function adopt(terminal: Terminal, options: AdoptOptions): Promise<ExitCode> {
  if (!options.reason)
    throw usageError('--reason is required: how you know that the state belongs to this environment.')
  const { target, output } = await openCommandTarget(terminal, options)
  output.value(await target.agent.adopt({ environment: target.environment, reason: options.reason }))
  output.line(`The state in this database now belongs to ${target.environment}.`)
  return ExitCode.done
}
