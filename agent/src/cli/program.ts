import { Command, CommanderError } from 'commander'
import { createRequire } from 'node:module'
import { registerAcceptClient, registerAdopt } from './commands/acceptClient.ts'
import { registerAutomaticRollback } from './commands/automaticRollback.ts'
import { registerBaseline } from './commands/baseline.ts'
import { registerBackfill } from './commands/backfill.ts'
import { registerCheck } from './commands/check.ts'
import { registerDrill } from './commands/drill.ts'
import { registerExpand } from './commands/expand.ts'
import { registerFailedRows } from './commands/failedRows.ts'
import { registerFlag } from './commands/flag.ts'
import { registerIncidents } from './commands/incidents.ts'
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
import { registerValidate } from './commands/validate.ts'
import { registerVerify } from './commands/verify.ts'
import { registerWatch } from './commands/watch.ts'
import { CliError, Exit } from './exit.ts'
import type { Register, Run } from './session.ts'
import type { Terminal } from './terminal.ts'

const commands: readonly Register[] = [
  registerStatus,
  registerWatch,
  registerOperations,
  registerBaseline,
  registerExpand,
  registerBackfill,
  registerValidate,
  registerFlag,
  registerRollback,
  registerFailedRows,
  registerAcceptClient,
  registerAdopt,
  registerMonitoring,
  registerReadiness,
  registerRehearse,
  registerIncidents,
  registerAutomaticRollback,
  registerDrill,
  registerPromote,
  registerPrepareColumnDrop,
  registerRemoveArchive,
  registerCheck,
  registerProvisioning,
  registerVerify,
]

/** Runs one command; `argv` without the program's own name. Gives the exit code and never rejects. */
export async function runProgram(argv: readonly string[], terminal: Terminal): Promise<Exit> {
  let code: Exit = Exit.done
  const run: Run =
    (action) =>
    async (...args) => {
      code = await action(terminal, ...args)
    }
  const program = new Command('sti')
    .description('Takes a live PostgreSQL table to single-table inheritance, and back.')
    .version((createRequire(import.meta.url)('../../package.json') as { version: string }).version)
  for (const register of commands) register(program, run)
  const json = argv.includes('--json')
  settle(program, terminal, json)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    return report(error, terminal, json)
  }
}

/** Sub-commands do not inherit these when they are made before: set on all of them. */
function settle(command: Command, terminal: Terminal, json: boolean): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      outputError: (text, write) => {
        const sentence = text.trim().replace(/^error: (.)/, (_, first: string) => first.toUpperCase())
        write(json ? faultLine('usage', sentence, []) : `sti: ${sentence}\n`)
      },
    })
  for (const sub of command.commands) settle(sub, terminal, json)
}

function report(error: unknown, terminal: Terminal, json: boolean): Exit {
  if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.done : Exit.usage
  const known =
    error instanceof CliError
      ? error
      : new CliError(Exit.failed, 'internal', `This should not happen: ${(error as Error).message}`)
  const { code, message, reasons } = known
  terminal.stderr.write(
    json
      ? faultLine(code, message, reasons)
      : [`sti: ${message}`, ...reasons.map((reason) => `  - ${reason}`)].join('\n') + '\n',
  )
  return known.exit
}

const faultLine = (code: string, error: string, reasons: readonly string[]): string =>
  `${JSON.stringify({ error, code, reasons })}\n`
