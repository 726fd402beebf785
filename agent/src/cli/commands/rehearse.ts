import { REHEARSAL_SAMPLE_BOUNDS, RehearsalResult, type Operation } from '../../contract/index.ts'
import { parameterParser } from '../argumentParsers.ts'
import type { OperationInput } from '../agentClient.ts'
import type { ExitCode } from '../exitCode.ts'
import { formatCount, formatDuration } from '../../format/format.ts'
import { exitCodeOfOperation, runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'

interface RehearseOptions extends RunOptions {
  readonly sample?: number
}

export const registerRehearse: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('rehearse')))
    .description('Rehearse the rollout and its rollbacks on a copied sample of the table, and time them')
    .option(
      '--sample <rows>',
      'Rows to copy (default: rehearsal.sample of the rollout file)',
      parameterParser(REHEARSAL_SAMPLE_BOUNDS),
    )
    .action(run(runRehearsal))
}

async function runRehearsal(terminal: Terminal, options: RehearseOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const request: OperationInput = {
    kind: 'rehearsal',
    environment: target.environment,
    reason: options.reason,
    parameters: options.sample === undefined ? {} : { sample: options.sample },
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  printRehearsal(operation, output)
  return exitCodeOfOperation(operation, options.detach)
}

function printRehearsal(operation: Operation | null, output: Output): void {
  const { data } = RehearsalResult.safeParse(operation?.result)
  if (data === undefined) return
  for (const { step, seconds, detail } of data.steps) output.line(`  ${step}, ${formatDuration(seconds)}: ${detail}`)
  for (const { scope, estimatedSeconds } of data.scopes)
    output.line(
      `  ${scope}: about ${formatDuration(estimatedSeconds)} for the whole table (${formatCount(data.tableRows)} rows)`,
    )
  for (const note of data.notes) output.line(`  note: ${note}`)
}
