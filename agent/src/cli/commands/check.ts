import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { formatQuantity } from '../../format/format.ts'
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
    .description('Check a rollout file and list every fault with its line; needs no agent')
    .argument('<file>', 'Rollout file')
    .option('--database <url>', 'Also check the file against the table in this database; changes nothing')
    .option('--json', 'Print one JSON value per line')
    .action(run(checkRolloutFile))
}

async function checkRolloutFile(terminal: Terminal, file: string, options: CheckOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  // A dynamic import, since it loads PostgreSQL's parser, which most commands do not need.
  const { loadRollout, RolloutFileError } = await import('../../rollout/compileRollout.ts')
  const path = resolve(terminal.cwd, file)
  const stats = await stat(path).catch(() => null)
  if (!stats?.isFile()) throw usageError(stats ? `${file} is not a file.` : `The file ${file} does not exist.`)
  let rollout: Rollout
  try {
    rollout = await loadRollout(path)
  } catch (error) {
    if (!(error instanceof RolloutFileError)) throw error
    throw faultsError(file, path, error.faults)
  }
  const faults = options.database === undefined ? [] : await findTableFaults(rollout, options.database)
  if (faults.length > 0) throw faultsError(file, path, faults)
  const { name, table, types, legacyColumns, hash } = rollout
  const scope = options.database === undefined ? '' : ' and matches the table'
  output.line(`${file} is valid${scope}: ${name}, ${table.sql}, ${legacyColumns.join(', ')} -> ${types.join(', ')}.`)
  output.value({ file, rollout: name, table: table.sql, types, legacyColumns, hash })
  return ExitCode.done
}

/** The faults show the path as it was given on the command line. */
function faultsError(file: string, path: string, faults: readonly string[]): CliError {
  const givenPath = faults.map((fault) => fault.replaceAll(path, file))
  return new CliError(ExitCode.failed, 'faults', `${file} has ${formatQuantity(faults.length, 'fault')}:`, givenPath)
}

async function findTableFaults(rollout: Rollout, url: string): Promise<string[]> {
  const [
    { connect },
    { ConnectionUrlError, parseConnectionUrl },
    { inspectTable, UnsupportedTableError },
    { checkAgainstTable },
  ] = await Promise.all([
    import('../../database/connect.ts'),
    import('../../database/connectionUrl.ts'),
    import('../../rollout/inspectTable.ts'),
    import('../../rollout/checkAgainstTable.ts'),
  ])
  try {
    parseConnectionUrl(url)
  } catch (error) {
    if (!(error instanceof ConnectionUrlError)) throw error
    throw usageError(`--database ${error.message}.`)
  }
  const database = connect(url, 'check')
  try {
    return await checkAgainstTable(database.state, rollout, await inspectTable(database.state, rollout))
  } catch (error) {
    if (error instanceof UnsupportedTableError) return [error.message]
    throw new CliError(ExitCode.failed, 'database', `Cannot query the database: ${(error as Error).message}`)
  } finally {
    await database.close()
  }
}
