import type { OperationInput } from '../agentClient.ts'
import { usageError, type ExitCode } from '../exitCode.ts'
import { exitCodeOfOperation, runOperation, addRunOptions, type RunOptions, noteWarnings } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'
import type { Operation } from '../../contract/index.ts'

interface MonitoringOptions extends RunOptions {
  readonly enable?: boolean
  readonly disable?: boolean
}

export const registerMonitoring: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('monitoring')))
    .description('Turn enhanced monitoring on or off: more frequent readings and more detailed PostgreSQL timings')
    .option('--enable', 'Turn it on; lists the settings that the agent’s role may not change')
    .option('--disable', 'Turn it off and restore the previous settings (requires an admin token)')
    .action(run(setMonitoring))
}

async function setMonitoring(terminal: Terminal, options: MonitoringOptions): Promise<ExitCode> {
  if (options.enable === options.disable) throw usageError('Use either --enable or --disable.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const request: OperationInput = {
    kind: 'monitoring',
    environment: target.environment,
    parameters: { enabled: options.enable === true },
    reason: options.reason,
  }
  if (options.enable === true && options.dryRun !== true) await noteWarnings(target, rollout.rollout, request, output)
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  printChanges(operation, output)
  return exitCodeOfOperation(operation, options.detach)
}

const CHANGE_LABELS = {
  changed: 'changed',
  refused: 'not changed',
  left: 'left unchanged',
  kept: 'kept for another rollout',
} as const

/** The table after a rollback, compared with the table before expand. */
interface OriginComparison {
  readonly structure: string
  readonly differences: readonly string[]
  readonly content: string
}

/** Prints what the operation changed and what it did not, with reasons; after a rollback also the comparison. */
export function printChanges(operation: Operation | null, output: Output): void {
  for (const [key, label] of Object.entries(CHANGE_LABELS)) {
    for (const sentence of (operation?.result?.[key] as string[] | undefined) ?? [])
      output.line(`  ${label}: ${sentence}`)
  }
  const origin = operation?.result?.['origin'] as OriginComparison | undefined
  if (origin === undefined) return
  output.line(`  structure: ${origin.structure}; content: ${origin.content}`)
  for (const difference of origin.differences) output.line(`  changed by others: ${difference}`)
}
