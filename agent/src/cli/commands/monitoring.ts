import type { OperationInput } from '../client.ts'
import { usage, type Exit } from '../exit.ts'
import { exitOf, runOperation, withRun, type RunOptions } from '../runOperation.ts'
import { openRollout, withTarget, type Register } from '../session.ts'
import type { Output, Terminal } from '../terminal.ts'
import type { Operation } from '../../contract/index.ts'

interface MonitoringOptions extends RunOptions {
  readonly enable?: boolean
  readonly disable?: boolean
}

export const registerMonitoring: Register = (program, run) => {
  withRun(withTarget(program.command('monitoring')))
    .description('enhanced monitoring: read more often, and time what PostgreSQL does more closely')
    .option('--enable', 'switch it on; what the agent’s role may not do is named')
    .option('--disable', 'switch it off: what was there before is there again (an admin)')
    .action(run(monitoring))
}

async function monitoring(terminal: Terminal, options: MonitoringOptions): Promise<Exit> {
  if (options.enable === options.disable) throw usage('Say one of --enable and --disable.')
  const { target, rollout, output } = await openRollout(terminal, options)
  const request: OperationInput = {
    kind: 'monitoring',
    environment: target.environment,
    parameters: { enabled: options.enable === true },
    reason: options.reason,
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  sayWhatItDid(operation, output)
  return exitOf(operation, options.detach)
}

const WORDS = {
  changed: 'changed',
  refused: 'not done',
  left: 'left as it is',
  kept: 'kept for another rollout',
} as const

/** How a rollback found the table, beside what expand had found. */
interface Origin {
  readonly structure: string
  readonly differences: readonly string[]
  readonly content: string
}

/** What was changed, and what was not and why; of a rollback also whether the table is what it was. */
export function sayWhatItDid(operation: Operation | null, output: Output): void {
  for (const [key, word] of Object.entries(WORDS)) {
    for (const sentence of (operation?.result?.[key] as string[] | undefined) ?? [])
      output.line(`  ${word}: ${sentence}`)
  }
  const origin = operation?.result?.['origin'] as Origin | undefined
  if (origin === undefined) return
  output.line(`  structure: ${origin.structure}; content: ${origin.content}`)
  for (const difference of origin.differences) output.line(`  changed by others: ${difference}`)
}
