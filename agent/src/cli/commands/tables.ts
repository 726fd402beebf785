import { describeNewTables, type Group, type GroupTable } from '../../contract/index.ts'
import { formatCount, formatDuration } from '../../format/format.ts'
import { openCommandTarget, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import { selectGroupName } from '../environmentTarget.ts'
import { ExitCode } from '../exitCode.ts'
import { formatFlag } from '../formatResponses.ts'
import type { Terminal } from '../terminal.ts'

interface TablesOptions extends CommonOptions {
  readonly all?: boolean
}

const LISTED = 20
const MAX_LISTED = 20_000

export const registerTables: RegisterCommand = (program, run) => {
  addTargetOptions(program.command('tables'))
    .description('Show the tables of a rollout with several: failed ones first, then the slowest')
    .option('--all', `List every table (default: ${LISTED})`)
    .action(run(showTables))
}

async function showTables(terminal: Terminal, options: TablesOptions): Promise<ExitCode> {
  const { target, output } = await openCommandTarget(terminal, options)
  const name = selectGroupName(target, options.rollout)
  const group = await target.agent.tables(name, options.all ? MAX_LISTED : LISTED)
  output.value(group)
  for (const line of formatGroup(group)) output.line(line)
  if (group.tables.length > 0)
    output.table([['SCHEMA', 'STAGE', 'STATE', 'OPERATION', 'SECONDS', 'ERROR'], ...group.tables.map(formatRow)])
  const more = group.total - group.tables.length
  if (more > 0) output.line(`… and ${formatCount(more)} more: --all lists them.`)
  return ExitCode.done
}

function formatGroup({ rollout, names, flag, running, total, states, stages, newSchemas }: Group): string[] {
  const counts = (numbers: Readonly<Record<string, number>>): string =>
    Object.entries(numbers)
      .sort(([, a], [, b]) => b - a)
      .map(([key, count]) => `${formatCount(count)} ${key}`)
      .join(', ')
  return [
    `${rollout}: ${names}; flag ${flag.key} ${formatFlag(flag)}`,
    ...(running === null
      ? []
      : [`${running.kind} ${running.id} is ${running.state}: ${running.step ?? 'not begun yet'}`]),
    total === 0
      ? 'No operation has looked at its tables yet: run sti expand.'
      : `${formatCount(total)} tables: ${counts(stages)}`,
    ...(total === 0 ? [] : [`Last operation: ${counts(states)}`]),
    ...(newSchemas.length === 0 ? [] : [describeNewTables(newSchemas, flag)]),
  ]
}

const formatRow = ({ schema, stage, state, operation, seconds, error }: GroupTable): string[] => [
  schema,
  stage,
  state,
  operation === null ? '-' : String(operation),
  seconds === null ? '-' : formatDuration(seconds),
  error ?? '',
]
