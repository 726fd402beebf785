import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import {
  allowsColumnDrop,
  COLUMN_DROP_REFUSED,
  type ColumnDrop,
  type ColumnDropCheck,
  type Operation,
  type PreparedColumnDrop,
} from '../../contract/index.ts'
import type { OperationInput } from '../agentClient.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { formatOperation } from '../formatResponses.ts'
import { runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'

interface PrepareOptions extends RunOptions {
  readonly validateData?: boolean
  readonly generatePr?: boolean
  readonly includeRollback?: boolean
  readonly safetyChecks?: boolean
  readonly openPullRequest?: boolean
  readonly exportArchive?: boolean
  readonly output?: string
}

export const registerPrepareColumnDrop: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('prepare-column-drop')))
    .description(
      'Prepare the migration that drops the legacy columns, or list what prevents it; drops nothing. Exit code 3: refused, 4: inconclusive',
    )
    .option('--safety-checks', 'Refuse unless every check passes (default: a draft that must not be merged)')
    .option('--validate-data', 'Run the migration and its rollback on a copy of the schema with sample data')
    .option('--include-rollback', 'Also write the migration that restores the columns and their data')
    .option('--generate-pr', 'Also write the branch, files, title and body of a pull request marked Do Not Merge')
    .option('--open-pull-request', 'Open the pull request as a draft, in the repository of the agent’s configuration')
    .option('--export-archive', 'Also write the archive to a compressed file on the agent’s host')
    .option('--output <folder>', 'Folder for the files (default: sti-column-drop-<rollout>-<environment>)')
    .action(run(prepareColumnDrop))
}

async function prepareColumnDrop(terminal: Terminal, options: PrepareOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const request: OperationInput = {
    kind: 'column-drop',
    environment: target.environment,
    parameters: {
      validateData: options.validateData ?? false,
      generatePullRequest: (options.generatePr ?? false) || (options.openPullRequest ?? false),
      includeRollback: options.includeRollback ?? false,
      safetyChecks: options.safetyChecks ?? false,
      openPullRequest: options.openPullRequest ?? false,
      exportArchive: options.exportArchive ?? false,
      confirm: rollout.rollout,
    },
    reason: options.reason,
  }
  const operation = await runOperation(target, rollout.rollout, request, output, options, summarize)
  if (operation === null || options.detach) return ExitCode.done
  if (operation.state !== 'succeeded' && operation.errorCode !== COLUMN_DROP_REFUSED) return ExitCode.failed
  const columnDrop = await target.agent.columnDrop(rollout.rollout)
  const last = columnDrop.last
  if (last === null || last.id !== operation.id)
    throw new CliError(
      ExitCode.failed,
      'superseded',
      'A newer column drop has been prepared in the meantime. To see it: sti status',
    )
  printPreparation(last, output)
  output.value(columnDrop)
  if (last.prepared)
    await writePreparedFiles(
      terminal,
      options.output ?? `sti-column-drop-${columnDrop.rollout}-${columnDrop.environment}`,
      columnDrop,
      output,
    )
  return exitCodeOfPreparation(last)
}

/** The reasons of a refusal follow, one on each line. */
function summarize(operation: Operation): string {
  if (operation.errorCode !== COLUMN_DROP_REFUSED) return formatOperation(operation)
  return formatOperation({ ...operation, error: 'The column drop was refused.' })
}

function printPreparation(preparation: PreparedColumnDrop, output: Output): void {
  // Each check that does not allow the drop is a reason of the refusal, with its evidence and what to do.
  const hasReason = (check: ColumnDropCheck): boolean => !preparation.prepared && !allowsColumnDrop(check)
  output.rows(
    preparation.checks.map((one) => [describeVerdict(one), one.check, hasReason(one) ? 'see below' : one.evidence]),
  )
  if (!preparation.prepared) {
    output.line('Refused. No files were written.')
    for (const reason of preparation.reasons) output.line(`  - ${reason}`)
  } else if (!preparation.parameters.safetyChecks) {
    output.line('This is a draft without safety checks. Before review, run the command again with --safety-checks.')
  }
  if (preparation.pullRequest?.url != null) output.line(`Draft pull request: ${preparation.pullRequest.url}`)
}

const describeVerdict = (check: ColumnDropCheck): string =>
  check.accepted.length > 0 && allowsColumnDrop(check) ? `${check.verdict}, accepted` : check.verdict

/** A draft also counts as done. A refusal without a failed check is inconclusive. */
function exitCodeOfPreparation({ prepared, verdict }: PreparedColumnDrop): ExitCode {
  if (prepared) return ExitCode.done
  return verdict === 'fail' ? ExitCode.refused : ExitCode.inconclusive
}

async function writePreparedFiles(
  terminal: Terminal,
  folder: string,
  { last }: ColumnDrop,
  output: Output,
): Promise<void> {
  const { migration, pullRequest } = last!
  const files: [string, string][] =
    pullRequest === null
      ? []
      : [
          ['BRANCH', `${pullRequest.branch}\n`],
          ['TITLE', `${pullRequest.title}\n`],
          ['BODY.md', `${pullRequest.body}\n`],
          ['LABELS', `${pullRequest.labels.join('\n')}\n`],
          ...pullRequest.files.map(({ path, text }): [string, string] => [join('files', path), text]),
        ]
  if (migration !== null) {
    files.push(['up.sql', `begin;\n\n${migration.up}\ncommit;\n`])
    if (migration.down !== null) files.push(['down.sql', `begin;\n\n${migration.down}\ncommit;\n`])
  }
  const root = resolve(terminal.cwd, folder)
  try {
    for (const [path, text] of files) {
      const destination = resolve(root, path)
      if (!destination.startsWith(root + sep))
        throw new CliError(ExitCode.failed, 'not-written', `${path} is outside of ${folder}.`)
      await mkdir(dirname(destination), { recursive: true })
      await writeFile(destination, text)
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(
      ExitCode.failed,
      'not-written',
      `Cannot write ${folder} (${(error as NodeJS.ErrnoException).code ?? 'error'}).`,
    )
  }
  output.line(`Written to ${folder}: ${files.map(([path]) => path).join(', ')}`)
}
