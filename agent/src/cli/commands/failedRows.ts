import { CliError, ExitCode, usageError } from '../exitCode.ts'
import { exitCodeOfOperation, sendIdempotent, waitForOperation, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'
import { alignColumns } from '../formatResponses.ts'
import { formatCount } from '../formatNumbers.ts'

interface AcceptFailedRowsOptions extends CommonOptions {
  readonly key?: string[][]
  readonly reason?: string
}

export const registerFailedRows: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('failed-rows'))
    .description('rows that could not be written, with the reason of each')
    .action(run(listFailedRows))
  addTargetOptions(program.command('retry-failed-rows'))
    .description('try the failed rows again')
    .option('--reason <text>', 'why, kept with the operation and its events')
    .option('--detach', 'return as soon as the agent accepted it')
    .action(run(retryFailedRows))
  addTargetOptions(program.command('accept-failed-rows'))
    .description('let the flag go on although these rows have no type; needs an admin token')
    .option('--key <value>', 'primary key of a row; a composite one with commas; repeat it for more', collectKey)
    .option('--reason <text>', 'why')
    .action(run(acceptFailedRows))
}

const collectKey = (text: string, keys: string[][] = []): string[][] => [...keys, text.split(',')]

async function listFailedRows(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const { failedRows, total } = await target.agent.failedRows(rollout.rollout)
  for (const row of failedRows) output.value(row)
  if (total === 0) output.line('There are no failed rows.')
  else {
    const rows = failedRows.map((row) => [
      row.key.join(','),
      row.sqlstate,
      String(row.attempts),
      row.accepted ? `${row.message} (accepted: ${row.accepted})` : row.message,
    ])
    for (const line of alignColumns([['KEY', 'SQLSTATE', 'ATTEMPTS', 'MESSAGE'], ...rows])) output.line(line)
    if (total > rows.length) output.line(`… and ${formatCount(total - rows.length)} more`)
  }
  return ExitCode.done
}

async function retryFailedRows(terminal: Terminal, options: RunOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const body = { environment: target.environment, reason: options.reason }
  const operation = await sendIdempotent(target.agents, (agent, key) =>
    agent.retryFailedRows(rollout.rollout, body, key),
  )
  return exitCodeOfOperation(await waitForOperation(target, operation, output, options), options.detach)
}

async function acceptFailedRows(terminal: Terminal, options: AcceptFailedRowsOptions): Promise<ExitCode> {
  const { key: keys, reason } = options
  if (!keys || !reason) throw usageError('This needs --key, once for each row, and --reason.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const answer = await target.agent.acceptFailedRows(rollout.rollout, { keys, reason })
  output.value(answer)
  output.line(`Accepted ${formatCount(answer.accepted)} failed rows of ${rollout.rollout}.`)
  if (answer.accepted >= keys.length) return ExitCode.done
  const others = formatCount(keys.length - answer.accepted)
  throw new CliError(
    ExitCode.failed,
    'no-failed-row',
    `${others} of the keys name no failed row: sti failed-rows lists them.`,
  )
}
