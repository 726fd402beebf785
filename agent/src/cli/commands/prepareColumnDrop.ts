import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import type { ColumnDrop, PreparedColumnDrop } from '../../contract/index.ts'
import type { OperationInput } from '../agentClient.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'
import { alignColumns } from '../formatResponses.ts'

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
      'prepare the migration that drops the legacy columns, or say why not; drops nothing. Exit code 3 refused, 4 undecided',
    )
    .option('--safety-checks', 'refuse unless every check passes; without it: a draft that is not to be merged')
    .option('--validate-data', 'run the migration and its undo on a copy of the schema with a sample of the data')
    .option('--include-rollback', 'the migration that brings columns and data back, too')
    .option('--generate-pr', 'branch, files, title and body of a pull request that says Do Not Merge')
    .option('--open-pull-request', 'open it as a draft, with the repository and token of the agent’s configuration')
    .option('--export-archive', 'also write the archive to a compressed file beside the agent')
    .option('--output <folder>', 'where the files go (default: sti-column-drop-<rollout>-<environment>)')
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
  const operation = await runOperation(target, rollout.rollout, request, output, options)
  if (operation === null || options.detach) return ExitCode.done
  if (operation.state !== 'succeeded') return ExitCode.failed
  const columnDrop = await target.agent.columnDrop(rollout.rollout)
  const last = columnDrop.last
  if (last === null || last.operationId !== operation.id)
    throw new CliError(ExitCode.failed, 'superseded', 'Somebody has prepared it again meanwhile: look with sti status.')
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

function printPreparation(preparation: PreparedColumnDrop, output: Output): void {
  for (const line of alignColumns(preparation.checks.map(({ verdict, check, evidence }) => [verdict, check, evidence])))
    output.line(line)
  if (!preparation.prepared) {
    output.line('Refused: nothing was written.')
    for (const reason of preparation.reasons) output.line(`  - ${reason}`)
  } else if (!preparation.parameters.safetyChecks) {
    output.line(
      'A draft: it was not held to its safety checks. Prepare it again with --safety-checks before it is reviewed.',
    )
  }
  if (preparation.pullRequest?.url != null) output.line(`Draft pull request: ${preparation.pullRequest.url}`)
}

/** Produced is done, also a draft; refused is refused, unless it could only not be decided. */
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
        throw new CliError(ExitCode.failed, 'not-written', `${path} would lie outside of ${folder}.`)
      await mkdir(dirname(destination), { recursive: true })
      await writeFile(destination, text)
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(
      ExitCode.failed,
      'not-written',
      `${folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'error'}).`,
    )
  }
  output.line(`Written to ${folder}: ${files.map(([path]) => path).join(', ')}`)
}
