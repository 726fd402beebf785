import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Rollout } from '../../rollout/rollout.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Terminal } from '../terminal.ts'

interface CheckOptions {
  readonly database?: string
  readonly json?: boolean
}

export const registerCheck: RegisterCommand = (program, run) => {
  program
    .command('check')
    .description('check a rollout file; every fault with its line. Needs no agent')
    .argument('<file>', 'the rollout file')
    .option('--database <url>', 'also check it against the table in this database; nothing is changed there')
    .option('--json', 'one JSON value per line, for machines')
    .action(run(checkRolloutFile))
}

async function checkRolloutFile(terminal: Terminal, file: string, options: CheckOptions): Promise<ExitCode> {
  const out = createOutput(terminal, options.json ?? false)
  // Loaded here: it brings PostgreSQL's parser, which no other command needs.
  const { loadRollout, RolloutFileError: RolloutFaults } = await import('../../rollout/compileRollout.ts')
  const path = resolve(terminal.cwd, file)
  const stats = await stat(path).catch(() => null)
  if (!stats?.isFile()) throw usageError(stats ? `${file} is no file.` : `The file ${file} does not exist.`)
  let rollout: Rollout
  try {
    rollout = await loadRollout(path)
  } catch (error) {
    if (!(error instanceof RolloutFaults)) throw error
    throw faultsError(file, path, error.faults)
  }
  const faults = options.database === undefined ? [] : await findTableFaults(rollout, options.database)
  if (faults.length > 0) throw faultsError(file, path, faults)
  const { name, table, types, legacyColumns, hash } = rollout
  const where = options.database === undefined ? '' : ', and fits the table'
  out.line(`${file} is fine${where}: ${name}, ${table.sql}, ${legacyColumns.join(', ')} -> ${types.join(', ')}.`)
  out.value({ file, rollout: name, table: table.sql, types, legacyColumns, hash })
  return ExitCode.done
}

/** The faults name the file as it was named on the command line. */
function faultsError(file: string, path: string, faults: readonly string[]): CliError {
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`
  const asNamed = faults.map((fault) => fault.replaceAll(path, file))
  return new CliError(ExitCode.failed, 'faults', `${file} has ${count}:`, asNamed)
}

async function findTableFaults(rollout: Rollout, url: string): Promise<string[]> {
  if (!/^postgres(ql)?:\/\/./.test(url)) {
    throw usageError('--database must look like postgres://user:password@host:5432/name.')
  }
  const [{ connect }, { inspectTable: inspect, UnsupportedTableError: TableFault }, { checkAgainstTable }] =
    await Promise.all([
      import('../../database/connect.ts'),
      import('../../rollout/inspectTable.ts'),
      import('../../rollout/checkAgainstTable.ts'),
    ])
  const database = connect(url, 'check')
  try {
    return await checkAgainstTable(database.state, rollout, await inspect(database.state, rollout))
  } catch (error) {
    if (error instanceof TableFault) return [error.message]
    throw new CliError(ExitCode.failed, 'database', `The database could not be asked: ${(error as Error).message}`)
  } finally {
    await database.close()
  }
}
