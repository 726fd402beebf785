import type { OperationInput } from '../agentClient.ts'
import { usageError, type ExitCode } from '../exitCode.ts'
import { exitCodeOfOperation, runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'
import type { Operation } from '../../contract/index.ts'

interface MonitoringOptions extends RunOptions {
  readonly enable?: boolean
  readonly disable?: boolean
}

export const registerMonitoring: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('monitoring')))
    .description('enhanced monitoring: read more often, and time what PostgreSQL does more closely')
    .option('--enable', 'switch it on; what the agent’s role may not do is named')
    .option('--disable', 'switch it off: what was there before is there again (an admin)')
    .action(run(setMonitoring))
}

async function setMonitoring(terminal: Terminal, options: MonitoringOptions): Promise<ExitCode> {
  if (options.enable === options.disable) throw usageError('Say one of --enable and --disable.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const request: OperationInput = {
    kind: 'monitoring',
    environment: target.environment,
    parameters: { enabled: options.enable === true },
    reason: options.reason,
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  printChanges(operation, output)
  return exitCodeOfOperation(operation, options.detach)
}

const CHANGE_LABELS = {
  changed: 'changed',
  refused: 'not done',
  left: 'left as it is',
  kept: 'kept for another rollout',
} as const

/** How a rollback found the table, beside what expand had found. */
interface OriginComparison {
  readonly structure: string
  readonly differences: readonly string[]
  readonly content: string
}

/** What was changed, and what was not and why; of a rollback also whether the table is what it was. */
export function printChanges(operation: Operation | null, output: Output): void {
  for (const [key, word] of Object.entries(CHANGE_LABELS)) {
    for (const sentence of (operation?.result?.[key] as string[] | undefined) ?? [])
      output.line(`  ${word}: ${sentence}`)
  }
  const origin = operation?.result?.['origin'] as OriginComparison | undefined
  if (origin === undefined) return
  output.line(`  structure: ${origin.structure}; content: ${origin.content}`)
  for (const difference of origin.differences) output.line(`  changed by others: ${difference}`)
}
