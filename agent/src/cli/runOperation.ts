import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { Operation, Preview } from '../contract/index.ts'
import { AgentAway, type AgentClient, type OperationInput } from './client.ts'
import { CliError, Exit } from './exit.ts'
import { follow } from './follow.ts'
import type { CommonOptions } from './session.ts'
import type { Target } from './target.ts'
import type { Output } from './terminal.ts'
import { operationText, previewLines } from './text.ts'

export interface RunOptions extends CommonOptions {
  readonly reason?: string
  readonly dryRun?: boolean
  readonly detach?: boolean
  readonly progressReporting?: boolean
}

export function withRun(command: Command): Command {
  return command
    .option('--reason <text>', 'why, kept with the operation and its events')
    .option('--dry-run', 'say in numbers what it would do; change nothing')
    .option('--detach', 'return as soon as the agent accepted it')
}

/**
 * Starts an operation and waits for its end. Gives it as it ended, or as it was accepted with `--detach`; null after
 * `--dry-run`.
 */
export async function runOperation(
  target: Target,
  rollout: string,
  request: OperationInput,
  output: Output,
  options: RunOptions,
): Promise<Operation | null> {
  if (options.dryRun) {
    refuseUnlessAllowed(await showPreview(target, rollout, request, output))
    return null
  }
  const operation = await send(target.agents, (agent, key) => agent.start(rollout, request, key))
  return waitFor(target, operation, output, options)
}

export async function showPreview(
  target: Target,
  rollout: string,
  request: OperationInput,
  output: Output,
): Promise<Preview> {
  const preview = await target.agent.preview(rollout, request)
  for (const line of previewLines(preview)) output.line(line)
  output.value(preview)
  return preview
}

export function refuseUnlessAllowed(preview: Preview): void {
  if (!preview.allowed) throw new CliError(Exit.refused, 'refused', `${preview.kind} would be refused now.`)
}

/** Follows an accepted operation to its end and says how it ended. */
export async function waitFor(
  target: Target,
  operation: Operation,
  output: Output,
  options: RunOptions,
): Promise<Operation> {
  if (options.detach) {
    output.line(`${operation.kind} ${operation.id} accepted; look at it with: sti watch ${operation.id}`)
    output.value(operation)
    return operation
  }
  const last = await follow(target.agents, operation, output, {
    reporting: options.progressReporting ?? false,
    cancelHint: `sti operations cancel ${operation.id}`,
  })
  output.line(operationText(last))
  return last
}

/**
 * Sends a request with one Idempotency-Key per invocation: when no answer comes it is sent again, to each agent of
 * the environment in turn, and the agents still start it once.
 */
export async function send(
  agents: readonly AgentClient[],
  request: (agent: AgentClient, key: string) => Promise<Operation>,
): Promise<Operation> {
  const key = randomUUID()
  let away: AgentAway | undefined
  for (const agent of [...agents, ...agents]) {
    try {
      return await request(agent, key)
    } catch (error) {
      if (!(error instanceof AgentAway)) throw error
      away ??= error
    }
  }
  throw away ?? new CliError(Exit.usage, 'usage', 'No agent is configured.')
}

/** The exit code of an operation: done, failed, or unknown while it goes on. */
export function exitOf(operation: Operation | null, detach: boolean | undefined): Exit {
  if (operation === null || detach || operation.state === 'succeeded') return Exit.done
  return Exit.failed
}
