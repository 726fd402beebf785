import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { Operation, OperationPreview } from '../contract/index.ts'
import { durationParser } from './argumentParsers.ts'
import { AgentUnreachableError, type AgentClient, type OperationInput } from './agentClient.ts'
import { CliError, ExitCode } from './exitCode.ts'
import { followOperation } from './followOperation.ts'
import type { CommonOptions } from './commandSetup.ts'
import type { EnvironmentTarget } from './environmentTarget.ts'
import type { Output } from './terminal.ts'
import { formatOperation, formatPreview } from './formatResponses.ts'

export interface RunOptions extends CommonOptions {
  readonly reason?: string
  readonly dryRun?: boolean
  readonly detach?: boolean
  readonly progressReporting?: boolean
  readonly waitTimeout?: number
}

export function addRunOptions(command: Command): Command {
  return addWaitOption(command)
    .option('--reason <text>', 'Reason, recorded with the operation and its events')
    .option('--dry-run', 'Show what the operation would do and its cost; change nothing')
    .option('--detach', 'Exit once the agent has accepted the operation')
}

/** The option of every command that follows an operation. */
export function addWaitOption(command: Command): Command {
  return command.option(
    '--wait-timeout <duration>',
    'Without a terminal, exit with code 5 once the operation has made no progress for this long (default: 10m)',
    durationParser({ minimum: 1, maximum: 30 * 86_400 }),
  )
}

/**
 * Starts an operation and waits for its end. Returns the ended operation, the accepted one with `--detach`, or null
 * after `--dry-run`.
 *
 * @param summarize the line about the ended operation
 */
export async function runOperation(
  target: EnvironmentTarget,
  rollout: string,
  request: OperationInput,
  output: Output,
  options: RunOptions,
  summarize: (operation: Operation) => string = formatOperation,
): Promise<Operation | null> {
  if (options.dryRun) {
    refuseUnlessAllowed(await showPreview(target, rollout, request, output))
    return null
  }
  const operation = await sendIdempotent(target.agents, (agent, key) => agent.start(rollout, request, key))
  return waitForOperation(target, operation, output, options, summarize)
}

export async function showPreview(
  target: EnvironmentTarget,
  rollout: string,
  request: OperationInput,
  output: Output,
): Promise<OperationPreview> {
  const preview = await target.agent.preview(rollout, request)
  for (const line of formatPreview(preview)) output.line(line)
  output.value(preview)
  return preview
}

/** Prints the warnings of the preview before the operation starts. */
export async function noteWarnings(
  target: EnvironmentTarget,
  rollout: string,
  request: OperationInput,
  output: Output,
): Promise<void> {
  for (const agent of target.agents) {
    try {
      const { warnings } = await agent.preview(rollout, request)
      for (const sentence of warnings) output.note(`Warning: ${sentence}`)
      return
    } catch (error) {
      // The request itself tries every agent, and reports it if none responds.
      if (!(error instanceof AgentUnreachableError)) throw error
    }
  }
}

export function refuseUnlessAllowed(preview: OperationPreview): void {
  if (!preview.allowed) throw new CliError(ExitCode.refused, 'refused', `The agent would refuse ${preview.kind} now.`)
}

/** Follows an accepted operation to its end and prints the outcome. */
export async function waitForOperation(
  target: EnvironmentTarget,
  operation: Operation,
  output: Output,
  options: RunOptions,
  summarize: (operation: Operation) => string = formatOperation,
): Promise<Operation> {
  if (options.detach) {
    output.line(`${operation.kind} ${operation.id} accepted. To watch it: sti watch ${operation.id}`)
    output.value(operation)
    return operation
  }
  const finished = await followOperation(target.agents, operation, output, {
    progressLines: options.progressReporting ?? false,
    waitTimeout: options.waitTimeout,
    cancelHint: `sti operations cancel ${operation.id}`,
  })
  output.line(summarize(finished))
  return finished
}

/**
 * Sends a request with one Idempotency-Key per invocation. Without a response it is sent again, to each agent of the
 * environment in turn; the key makes sure that the operation starts once.
 */
export async function sendIdempotent(
  agents: readonly AgentClient[],
  request: (agent: AgentClient, key: string) => Promise<Operation>,
): Promise<Operation> {
  const key = randomUUID()
  let unreachable: AgentUnreachableError | undefined
  for (const agent of [...agents, ...agents]) {
    try {
      return await request(agent, key)
    } catch (error) {
      if (!(error instanceof AgentUnreachableError)) throw error
      unreachable ??= error
    }
  }
  throw unreachable ?? new CliError(ExitCode.usage, 'usage', 'No agent is configured.')
}

export function exitCodeOfOperation(operation: Operation | null, detach: boolean | undefined): ExitCode {
  if (operation === null || detach || operation.state === 'succeeded') return ExitCode.done
  return ExitCode.failed
}
