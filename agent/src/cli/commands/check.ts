import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { formatCount, formatQuantity } from '../../format/format.ts'
import type { ContentLosses } from '../../rollout/contentLoss.ts'
import type { Preparation } from '../../rollout/preparation.ts'
import type { GroupCheck } from '../../rollout/checkGroup.ts'
import type { QualifiedName } from '../../rollout/identifiers.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import type { RolloutGroup } from '../../rollout/rolloutGroup.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import { requireDatabaseUrl } from '../databaseOption.ts'
import { formatPreparation, refusesSoon } from '../formatPreparation.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Terminal } from '../terminal.ts'

interface CheckOptions {
  readonly database?: string
  readonly table?: string
  readonly json?: boolean
}

export const registerCheck: RegisterCommand = (program, run) => {
  program
    .command('check')
    .description('Check a rollout file and list every fault with its line; needs no agent')
    .argument('<file>', 'Rollout file')
    .option('--database <url>', 'Also check the file against the table in this database; changes nothing')
    .option('--table <name>', 'Only this table of a file with several tables, with everything that is known of it')
    .option('--json', 'Print one JSON value per line')
    .action(run(checkRolloutFile))
}

async function checkRolloutFile(terminal: Terminal, file: string, options: CheckOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  // A dynamic import, since it loads PostgreSQL's parser, which most commands do not need.
  const { loadRolloutOrGroup, RolloutFileError } = await import('../../rollout/compileRollout.ts')
  const path = resolve(terminal.cwd, file)
  const stats = await stat(path).catch(() => null)
  if (!stats?.isFile()) throw usageError(stats ? `${file} is not a file.` : `The file ${file} does not exist.`)
  let loaded: Rollout | RolloutGroup
  try {
    loaded = await loadRolloutOrGroup(path)
  } catch (error) {
    if (!(error instanceof RolloutFileError)) throw error
    throw faultsError(file, path, error.faults)
  }
  if ('child' in loaded && options.table === undefined) return await checkTables(output, file, path, loaded, options)
  const rollout = await chooseTable(loaded, options.table)
  const { faults, losses, preparation } =
    options.database === undefined ? NO_DATABASE : await checkTable(rollout, options.database)
  if (faults.length > 0) throw faultsError(file, path, faults)
  const { name, table, types, legacyColumns, hash } = rollout
  const scope = options.database === undefined ? '' : ' and matches the table'
  output.line(`${file} is valid${scope}: ${name}, ${table.sql}, ${legacyColumns.join(', ')} -> ${types.join(', ')}.`)
  if (preparation !== null) formatPreparation(preparation).forEach((line) => output.line(line.replaceAll(path, file)))
  const { api } = rollout.file
  if (options.database !== undefined && api !== undefined) {
    const { checkVariants } = await import('../../signals/checkVariants.ts')
    const application = await checkVariants(api, terminal.env['STI_PROMETHEUS_URL'] ?? null)
    if (application !== null) output.line(`Application: ${application.sentence}`)
  }
  if (losses !== null) contentWarnings(losses).forEach((warning) => output.line(warning))
  const content = losses ?? undefined
  output.value({ file, rollout: name, table: table.sql, types, legacyColumns, hash, content, ...preparation })
  return preparation !== null && refusesSoon(preparation) ? ExitCode.failed : ExitCode.done
}

/** The rollout of one table. @throws CliError if the file does not name the table */
async function chooseTable(loaded: Rollout | RolloutGroup, text: string | undefined): Promise<Rollout> {
  if (text === undefined && !('child' in loaded)) return loaded
  const { parseTableName, InvalidSqlError } = await import('../../rollout/identifiers.ts')
  const { selectionNames } = await import('../../rollout/tableSelection.ts')
  let table: QualifiedName
  try {
    table = parseTableName(text ?? '')
  } catch (error) {
    if (!(error instanceof InvalidSqlError)) throw error
    throw usageError(`--table ${error.message}`)
  }
  if ('child' in loaded) {
    if (selectionNames(loaded.tables, table)) return loaded.child(table)
    throw usageError(`${loaded.path} does not name ${table.sql}.`)
  }
  if (loaded.table.sql === table.sql) return loaded
  throw usageError(`${loaded.path} has the table ${loaded.table.sql}: leave out --table.`)
}

/** Checks a file with several tables: each kind of table once. */
async function checkTables(
  output: ReturnType<typeof createOutput>,
  file: string,
  path: string,
  group: RolloutGroup,
  { database: url }: CheckOptions,
): Promise<ExitCode> {
  const { describeSelection } = await import('../../rollout/tableSelection.ts')
  const names = group.file.legacyColumns.join(', ')
  const check = url === undefined ? null : await checkGroupIn(group, url)
  check?.differences.forEach((difference) => output.line(difference))
  if (check !== null && check.faults.length > 0) throw faultsError(file, path, check.faults)
  const tables =
    check === null
      ? describeSelection(group.tables)
      : `${formatQuantity(check.tables.length, 'table')} of ${formatQuantity(check.kinds, 'kind')}`
  const scope = check === null ? '' : ' and matches every table'
  output.line(`${file} is valid${scope}: ${group.name}, ${tables}, ${names}.`)
  const [first] = check?.tables ?? []
  if (first !== undefined)
    output.line(`For content, time, and disk space of one table: --table ${first.schema}.${first.name}`)
  output.value({
    file,
    rollout: group.name,
    tables: check?.tables.map(({ sql }) => sql) ?? null,
    kinds: check?.kinds ?? null,
    differences: check?.differences ?? [],
    legacyColumns: group.file.legacyColumns,
    hash: group.hash,
  })
  return ExitCode.done
}

async function checkGroupIn(group: RolloutGroup, url: string): Promise<GroupCheck> {
  await requireDatabaseUrl(url)
  const [{ connect }, { errorMessage }, { checkGroup }] = await Promise.all([
    import('../../database/connect.ts'),
    import('../../database/errors.ts'),
    import('../../rollout/checkGroup.ts'),
  ])
  const database = connect(url, 'check')
  const sql = database.engine({ purpose: 'check' })
  try {
    return await checkGroup(sql, group)
  } catch (error) {
    throw new CliError(ExitCode.failed, 'database', `Cannot query the database: ${errorMessage(error)}`)
  } finally {
    await database.close()
  }
}

/** The faults show the path as it was given on the command line. */
function faultsError(file: string, path: string, faults: readonly string[]): CliError {
  const givenPath = faults.map((fault) => fault.replaceAll(path, file))
  return new CliError(ExitCode.failed, 'faults', `${file} has ${formatQuantity(faults.length, 'fault')}:`, givenPath)
}

/** What the table says about the file. The rest is null if the file has faults. */
interface TableResult {
  readonly faults: readonly string[]
  readonly losses: LossResult | null
  readonly preparation: Preparation | null
}

const NO_DATABASE: TableResult = { faults: [], losses: null, preparation: null }

/** What legacy columns hold that the types do not express; a text: why that is unknown. */
type LossResult = ContentLosses | string

/** One line per column and consequence. */
function contentWarnings(losses: LossResult): string[] {
  if (typeof losses === 'string')
    return [`Warning: the content that the types do not express is unknown: ${losses}. Correct the expression.`]
  const total = formatCount(losses.rows)
  return losses.columns.flatMap(({ column, lostRows, replacedRows }) => [
    ...(replacedRows > 0
      ? [
          `Warning: in ${formatCount(replacedRows)} of ${total} rows, ${column} differs from the restore of the row's type. A write of the type replaces the value. To preserve it, use keep or { sql: … } in restore.`,
        ]
      : []),
    ...(lostRows > 0
      ? [
          `Warning: in ${formatCount(lostRows)} of ${total} rows, ${column} holds content that the type does not express. The column drop is refused until an admin accepts the loss of ${column}. If the column stays, list it in permanentColumns.`,
        ]
      : []),
  ])
}

async function checkTable(rollout: Rollout, url: string): Promise<TableResult> {
  await requireDatabaseUrl(url)
  const [
    { connect },
    { errorMessage, classifyError },
    { inspectTable, UnsupportedTableError },
    { checkAgainstTable },
    { countContentLosses },
    { inspectPreparation },
    { inspectColumnDrop },
  ] = await Promise.all([
    import('../../database/connect.ts'),
    import('../../database/errors.ts'),
    import('../../rollout/inspectTable.ts'),
    import('../../rollout/checkAgainstTable.ts'),
    import('../../rollout/contentLoss.ts'),
    import('../../rollout/preparation.ts'),
    import('../../columnDrop/inspectColumnDrop.ts'),
  ])
  const database = connect(url, 'check')
  try {
    const table = await inspectTable(database.state, rollout)
    const faults = await checkAgainstTable(database.state, rollout, table)
    if (faults.length > 0) return { ...NO_DATABASE, faults }
    const sql = database.engine({ purpose: 'check', readOnly: true })
    try {
      const prepared = await inspectPreparation(sql, rollout, table)
      const findings = [...prepared.findings, ...(await inspectColumnDrop(sql, rollout, table))]
      const preparation = { ...prepared, findings }
      const losses = await countContentLosses(sql, rollout, table, 'legacy columns').catch((error: unknown) => {
        if (classifyError(error) !== 'row') throw error
        return errorMessage(error)
      })
      return { faults, losses, preparation }
    } finally {
      await sql.end({ timeout: 1 })
    }
  } catch (error) {
    if (error instanceof UnsupportedTableError) return { ...NO_DATABASE, faults: [error.message] }
    throw new CliError(ExitCode.failed, 'database', `Cannot query the database: ${errorMessage(error)}`)
  } finally {
    await database.close()
  }
}
