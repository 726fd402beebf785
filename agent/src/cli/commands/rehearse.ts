import { RehearsalResult, type Operation } from '../../contract/index.ts'
import { wholeNumber } from '../arguments.ts'
import type { OperationInput } from '../client.ts'
import type { Exit } from '../exit.ts'
import { count, duration } from '../numbers.ts'
import { exitOf, runOperation, withRun, type RunOptions } from '../runOperation.ts'
import { openRollout, withTarget, type Register } from '../session.ts'
import type { Output, Terminal } from '../terminal.ts'

interface RehearseOptions extends RunOptions {
  readonly sample?: number
}

export const registerRehearse: Register = (program, run) => {
  withRun(withTarget(program.command('rehearse')))
    .description('try the whole rollout and its rollbacks on a copied sample of the table, and time them')
    .option('--sample <rows>', 'rows to copy (default: as the rollout file says)', wholeNumber(1, 10_000_000))
    .action(run(rehearse))
}

async function rehearse(terminal: Terminal, options: RehearseOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const request: OperationInput = {
    kind: 'rehearsal',
    environment: target.environment,
    reason: options.reason,
    parameters: options.sample === undefined ? {} : { sample: options.sample },
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  sayWhatItFound(operation, output)
  return exitOf(operation, options.detach)
}

function sayWhatItFound(operation: Operation | null, output: Output): void {
  const { data } = RehearsalResult.safeParse(operation?.result)
  if (data === undefined) return
  for (const { step, seconds, detail } of data.steps) output.line(`  ${step}, ${duration(seconds)}: ${detail}`)
  for (const { scope, estimatedSeconds } of data.scopes)
    output.line(`  ${scope}: about ${duration(estimatedSeconds)} for the ${count(data.tableRows)} rows of the table`)
  for (const note of data.notes) output.line(`  note: ${note}`)
}
