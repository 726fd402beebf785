import { writeFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { ReportFormat } from '../contract/index.ts'
import { CliError, ExitCode, usageError } from './exitCode.ts'
import { requireWritable } from './jsonFiles.ts'
import type { EnvironmentTarget } from './environmentTarget.ts'
import type { Output, Terminal } from './terminal.ts'

export interface ReportOptions {
  readonly generateReport?: boolean
  readonly format?: ReportFormat
  readonly output?: string
  readonly detach?: boolean
  readonly dryRun?: boolean
}

interface ReportDestination {
  readonly format: ReportFormat
  readonly path: string | null
}

/** Which report is wanted; null: none. Asked before anything is started, so that a slip of the pen costs nothing. */
export async function resolveReportDestination(
  terminal: Terminal,
  options: ReportOptions,
): Promise<ReportDestination | null> {
  const { generateReport, format, output, detach, dryRun } = options
  if (!generateReport) {
    if (format !== undefined || output !== undefined)
      throw usageError('--format and --output go with --generate-report.')
    return null
  }
  if (detach || dryRun)
    throw usageError('--generate-report waits for the validation: leave out --detach and --dry-run.')
  if (output !== undefined) await requireWritable(terminal, output)
  const fromExtension = output === undefined ? undefined : ReportFormat.safeParse(extname(output).slice(1))
  if (format !== undefined) return { format, path: output ?? null }
  if (fromExtension !== undefined && !fromExtension.success)
    throw usageError(`--output must end in .md, .html or .json, or say --format.`)
  return { format: fromExtension?.data ?? 'md', path: output ?? null }
}

/** Asks the agent for the report and writes it. */
export async function writeReport(
  terminal: Terminal,
  target: EnvironmentTarget,
  rollout: string,
  { format, path }: ReportDestination,
  output: Output,
): Promise<void> {
  const text = await target.agent.report(rollout, format)
  const file = path ?? `sti-report-${rollout}-${target.environment}.${format}`
  await writeFile(resolve(terminal.cwd, file), text).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(ExitCode.failed, 'output', `The report could not be written to ${file}: ${error.code}.`)
  })
  output.line(`report: ${file}`)
  output.value({ report: file, format })
}
