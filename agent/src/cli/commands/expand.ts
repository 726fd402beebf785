import type { ExitCode } from '../exitCode.ts'
import { exitCodeOfOperation, runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openOperationRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'

export const registerExpand: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('expand')))
    .description('Add the discriminator column and the dual-write trigger')
    .action(run((terminal, options: RunOptions) => runStructureChange('expand', terminal, options)))
  addRunOptions(addTargetOptions(program.command('finalize')))
    .description('After full coverage: add the statistics, the index and the constraint')
    .action(run((terminal, options: RunOptions) => runStructureChange('finalize', terminal, options)))
}

async function runStructureChange(
  kind: 'expand' | 'finalize',
  terminal: Terminal,
  options: RunOptions,
): Promise<ExitCode> {
  const { target, rollout, output } = await openOperationRollout(terminal, options)
  const request = { kind, environment: target.environment, parameters: {}, reason: options.reason }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  // What a later step would refuse, so that nobody first meets it after the soak time.
  const notes = operation?.result?.['notes']
  if (Array.isArray(notes)) for (const note of notes) output.line(`note: ${String(note)}`)
  return exitCodeOfOperation(operation, options.detach)
}
