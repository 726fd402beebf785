import type { Exit } from '../exit.ts'
import { exitOf, runOperation, withRun, type RunOptions } from '../runOperation.ts'
import { openRollout, withTarget, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export const registerExpand: Register = (program, run) => {
  withRun(withTarget(program.command('expand')))
    .description('add the discriminator column and dual write')
    .action(run((terminal, options: RunOptions) => change('expand', terminal, options)))
  withRun(withTarget(program.command('finalize')))
    .description('after coverage: statistics, the index, the constraint')
    .action(run((terminal, options: RunOptions) => change('finalize', terminal, options)))
}

async function change(kind: 'expand' | 'finalize', terminal: Terminal, options: RunOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const request = { kind, environment: target.environment, parameters: {}, reason: options.reason }
  return exitOf(await runOperation(target, rollout.rollout, request, output, options), options.detach)
}
