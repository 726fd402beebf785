import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { requireDatabaseUrl } from '../databaseOption.ts'
import { createOutput, type Terminal } from '../terminal.ts'

interface InitOptions {
  readonly database: string
  readonly columns?: string
  readonly output?: string
  readonly json?: boolean
}

export const registerInit: RegisterCommand = (program, run) => {
  program
    .command('init')
    .description('Draft a rollout file from a table: types, restore values, triggers, publications; needs no agent')
    .argument('<table>', 'Table, as in SQL; default schema: public')
    .requiredOption('--database <url>', 'Database of the table; nothing in it is changed')
    .option('--columns <names>', 'Columns that decide the type, separated by commas (default: the most likely ones)')
    .option('-o, --output <file>', 'Write to a new file (default: print it)')
    .option('--json', 'Print one JSON value per line')
    .action(run(draftRolloutFile))
}

async function draftRolloutFile(terminal: Terminal, tableName: string, options: InitOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  await requireDatabaseUrl(options.database)
  // Dynamic imports, since they load PostgreSQL's parser, which most commands do not need.
  const [{ connect }, { draftRollout }] = await Promise.all([
    import('../../database/connect.ts'),
    import('../../rollout/draft/draftRollout.ts'),
  ])
  const columns = (options.columns ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const database = connect(options.database, 'init')
  try {
    const { text, faults } = await draftRollout(database.engine({ purpose: 'draft' }), tableName, columns)
    if (options.output === undefined)
      text
        .trimEnd()
        .split('\n')
        .forEach((line) => output.line(line))
    else await writeNewFile(resolve(terminal.cwd, options.output), options.output, text)
    output.value({ text, faults })
    const where = options.output ?? 'the draft'
    if (faults.length > 0) output.note(`sti check finds in ${where}:`)
    for (const fault of faults) output.note(`  - ${fault}`)
    return ExitCode.done
  } catch (error) {
    if (error instanceof CliError) throw error
    const { code } = error as { code?: string }
    if (code === 'no-types' || code === 'table-fault' || code === 'sql-fault')
      throw new CliError(ExitCode.failed, code, (error as Error).message)
    throw new CliError(ExitCode.failed, 'database', `Cannot query the database: ${(error as Error).message}`)
  } finally {
    await database.close()
  }
}

/** Never replaces a file, which may hold a person's decisions. */
async function writeNewFile(path: string, shown: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' })
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'The file already exists' : (error as Error).message
    throw usageError(`Cannot write ${shown}: ${reason}. Name another file.`)
  }
}
