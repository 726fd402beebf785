import { Command, CommanderError } from 'commander'
import { createRequire } from 'node:module'
import { registerAcceptClient, registerAdopt } from './commands/acceptClient.ts'
import { registerAcceptances } from './commands/acceptances.ts'
import { registerAgent } from './commands/agent.ts'
import { registerAutomaticRollback } from './commands/automaticRollback.ts'
import { registerBaseline } from './commands/baseline.ts'
import { registerBackfill } from './commands/backfill.ts'
import { registerCheck } from './commands/check.ts'
import { registerCompletion } from './commands/completion.ts'
import { registerDrill } from './commands/drill.ts'
import { registerExpand } from './commands/expand.ts'
import { registerFailedRows } from './commands/failedRows.ts'
import { registerFleet } from './commands/fleet.ts'
import { registerFlag } from './commands/flag.ts'
import { registerGrafanaToken } from './commands/grafanaToken.ts'
import { registerIncidents } from './commands/incidents.ts'
import { registerInit } from './commands/init.ts'
import { registerMonitoring } from './commands/monitoring.ts'
import { registerOperations } from './commands/operations.ts'
import { registerPrepareColumnDrop } from './commands/prepareColumnDrop.ts'
import { registerPromote } from './commands/promote.ts'
import { registerProvisioning } from './commands/provisioning.ts'
import { registerReadiness } from './commands/readiness.ts'
import { registerRemoveArchive } from './commands/removeArchive.ts'
import { registerRehearse } from './commands/rehearse.ts'
import { registerRollback } from './commands/rollback.ts'
import { registerStatus } from './commands/status.ts'
import { registerTables } from './commands/tables.ts'
import { registerUninstall } from './commands/uninstall.ts'
import { registerValidate } from './commands/validate.ts'
import { registerVerify } from './commands/verify.ts'
import { registerWatch } from './commands/watch.ts'
import { CliError, ExitCode, usageError } from './exitCode.ts'
import { commandForScript } from './scriptNames.ts'
import type { RegisterCommand, RunAction } from './commandSetup.ts'
import { toVisibleJson, toVisibleLine } from '../format/visibleText.ts'
import { writeError, type Terminal } from './terminal.ts'

const commands: readonly RegisterCommand[] = [
  registerStatus,
  registerTables,
  registerWatch,
  registerOperations,
  registerBaseline,
  registerExpand,
  registerBackfill,
  registerValidate,
  registerFlag,
  registerRollback,
  registerFleet,
  registerFailedRows,
  registerAcceptClient,
  registerAdopt,
  registerAcceptances,
  registerMonitoring,
  registerReadiness,
  registerRehearse,
  registerIncidents,
  registerAutomaticRollback,
  registerDrill,
  registerPromote,
  registerPrepareColumnDrop,
  registerRemoveArchive,
  registerInit,
  registerCheck,
  registerProvisioning,
  registerGrafanaToken,
  registerVerify,
  registerUninstall,
  registerAgent,
  registerCompletion,
]

/** The `sti` program with all its commands; tests check the documentation against it. */
export function createProgram(run: RunAction): Command {
  const program = new Command('sti')
    .description('Migrates a live PostgreSQL table to single-table inheritance, and rolls the migration back.')
    .version((createRequire(import.meta.url)('../../package.json') as { version: string }).version)
    .addHelpText('after', '\nA script of a rollout plan, such as toggle_sti_flag.py, answers with the command to use.')
  for (const register of commands) register(program, run)
  return program
}

/** Runs one command and returns its exit code; never rejects. `argv` does not include the name of the program. */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.done
  const run: RunAction =
    (action) =>
    async (...args) => {
      exitCode = await action(terminal, ...args)
    }
  const program = createProgram(run)
  const json = argv.includes('--json')
  configureCommand(program, terminal, json)
  try {
    const command = commandForScript(argv)
    if (command !== null) throw usageError(`${argv[0]} is a script of a rollout plan. Use: ${command}`)
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    return reportError(error, terminal, json)
  }
}

/** Commander passes these settings on only to subcommands added later, so they are set on each one. */
function configureCommand(command: Command, terminal: Terminal, json: boolean): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => {
        const sentence = text.trim().replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
        write(
          json
            ? `${toVisibleJson({ error: sentence, code: 'usage', reasons: [] })}\n`
            : `sti: ${toVisibleLine(sentence.replace(/\n(?=\(Did you mean )/, ' '))}\n`,
        )
      },
    })
  for (const sub of command.commands) configureCommand(sub, terminal, json)
}

function reportError(error: unknown, terminal: Terminal, json: boolean): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage
  const cliError =
    error instanceof CliError
      ? error
      : new CliError(
          ExitCode.failed,
          'internal',
          `Internal error: ${(error as Error).message}. Report it with the command you ran.`,
        )
  writeError(terminal, cliError, json)
  return cliError.exitCode
}
