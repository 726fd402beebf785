import { CliError, Exit, usage } from '../exit.ts'
import { exitOf, send, waitFor, type RunOptions } from '../runOperation.ts'
import { openRollout, withTarget, type CommonOptions, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { columns } from '../text.ts'
import { count } from '../numbers.ts'

interface AcceptOptions extends CommonOptions {
  readonly key?: string[][]
  readonly reason?: string
}

export const registerFailedRows: Register = (program, run) => {
  withTarget(program.command('failed-rows'))
    .description('rows that could not be written, with the reason of each')
    .action(run(list))
  withTarget(program.command('retry-failed-rows'))
    .description('try the failed rows again')
    .option('--reason <text>', 'why, kept with the operation and its events')
    .option('--detach', 'return as soon as the agent accepted it')
    .action(run(retry))
  withTarget(program.command('accept-failed-rows'))
    .description('let the flag go on although these rows have no type; needs an admin token')
    .option('--key <value>', 'primary key of a row; a composite one with commas; repeat it for more', collect)
    .option('--reason <text>', 'why')
    .action(run(accept))
}

const collect = (text: string, keys: string[][] = []): string[][] => [...keys, text.split(',')]

async function list(terminal: Terminal, options: CommonOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
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
    for (const line of columns([['KEY', 'SQLSTATE', 'ATTEMPTS', 'MESSAGE'], ...rows])) output.line(line)
    if (total > rows.length) output.line(`… and ${count(total - rows.length)} more`)
  }
  return Exit.done
}

async function retry(terminal: Terminal, options: RunOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const body = { environment: target.environment, reason: options.reason }
  const operation = await send(target.agents, (agent, key) => agent.retryFailedRows(rollout.rollout, body, key))
  return exitOf(await waitFor(target, operation, output, options), options.detach)
}

async function accept(terminal: Terminal, options: AcceptOptions): Promise<Exit> {
  const { key: keys, reason } = options
  if (!keys || !reason) throw usage('This needs --key, once for each row, and --reason.')
  const { target, rollout, output } = await openRollout(terminal, options)
  const answer = await target.agent.acceptFailedRows(rollout.rollout, { keys, reason })
  output.value(answer)
  output.line(`Accepted ${count(answer.accepted)} failed rows of ${rollout.rollout}.`)
  if (answer.accepted >= keys.length) return Exit.done
  const others = count(keys.length - answer.accepted)
  throw new CliError(
    Exit.failed,
    'no-failed-row',
    `${others} of the keys name no failed row: sti failed-rows lists them.`,
  )
}
