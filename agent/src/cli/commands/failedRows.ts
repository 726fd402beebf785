import { CliError, ExitCode, usageError } from '../exitCode.ts'
import { exitCodeOfOperation, sendIdempotent, waitForOperation, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'
import {} from '../formatResponses.ts'
import { formatCount, formatQuantity } from '../../format/format.ts'

interface AcceptFailedRowsOptions extends CommonOptions {
  readonly key?: string[][]
  readonly reason?: string
}

export const registerFailedRows: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('failed-rows'))
    .description('List the rows that could not be written, each with the reason')
    .action(run(listFailedRows))
  addTargetOptions(program.command('retry-failed-rows'))
    .description('Retry the failed rows')
    .option('--reason <text>', 'Reason, recorded with the operation and its events')
    .option('--detach', 'Exit once the agent has accepted the operation')
    .action(run(retryFailedRows))
  addTargetOptions(program.command('accept-failed-rows'))
    .description('Allow the flag to be turned on although these rows have no type (requires an admin token)')
    .option('--key <value>', 'Primary key of a row, comma-separated if composite; repeatable (required)', collectKey)
    .option('--reason <text>', 'Reason, recorded with the rows (required)')
    .action(run(acceptFailedRows))
}

const collectKey = (text: string, keys: string[][] = []): string[][] => [...keys, text.split(',')]

async function listFailedRows(terminal: Terminal, options: CommonOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const { failedRows, total } = await target.agent.failedRows(rollout.rollout)
  for (const row of failedRows) output.value(row)
  if (total === 0) output.line('No rows failed.')
  else {
    const rows = failedRows.map((row) => [
      row.key.join(','),
      row.sqlstate,
      String(row.attempts),
      row.accepted ? `${row.message} (accepted: ${row.accepted})` : row.message,
    ])
    output.table([['KEY', 'SQLSTATE', 'ATTEMPTS', 'MESSAGE'], ...rows])
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
  if (!keys || !reason) throw usageError('--key (once per row) and --reason are required.')
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const result = await target.agent.acceptFailedRows(rollout.rollout, { keys, reason })
  output.value(result)
  output.line(`Accepted ${formatQuantity(result.accepted, 'failed row')} of ${rollout.rollout}.`)
  if (result.accepted >= keys.length) return ExitCode.done
  const unmatched = formatCount(keys.length - result.accepted)
  throw new CliError(
    ExitCode.failed,
    'no-failed-row',
    `${unmatched} of ${formatQuantity(keys.length, 'key')} did not match a failed row. To list the failed rows: sti failed-rows`,
  )
}
