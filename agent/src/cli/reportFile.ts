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

/**
 * The requested report, or null for none. Runs before the operation starts, so that a mistake costs no time.
 *
 * @throws CliError usage
 */
export async function resolveReportDestination(
  terminal: Terminal,
  options: ReportOptions,
): Promise<ReportDestination | null> {
  const { generateReport, format, output, detach, dryRun } = options
  if (!generateReport) {
    if (format !== undefined || output !== undefined)
      throw usageError('--format and --output require --generate-report.')
    return null
  }
  if (detach || dryRun) throw usageError('--generate-report waits for the validation. Remove --detach and --dry-run.')
  if (output !== undefined) await requireWritable(terminal, output)
  const fromExtension = output === undefined ? undefined : ReportFormat.safeParse(extname(output).slice(1))
  if (format !== undefined) return { format, path: output ?? null }
  if (fromExtension !== undefined && !fromExtension.success)
    throw usageError('--output must end in .md, .html or .json, or use --format.')
  return { format: fromExtension?.data ?? 'md', path: output ?? null }
}

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
    throw new CliError(ExitCode.failed, 'output', `Cannot write the report to ${file}: ${error.code}.`)
  })
  output.line(`report: ${file}`)
  output.value({ report: file, format })
}
