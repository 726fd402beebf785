import { BASELINE_DURATION_BOUNDS, BaselineContent } from '../../contract/index.ts'
import { formatAgo } from '../../format/format.ts'
import { durationParser, parseId } from '../argumentParsers.ts'
import { requireWritable, readJsonFile, writeJsonFile } from '../jsonFiles.ts'
import { formatBaseline, formatBaselineRow, BASELINE_COLUMNS, formatComparison } from '../formatBaseline.ts'
import { ExitCode, EXIT_CODE_OF_VERDICT, usageError } from '../exitCode.ts'
import { runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'
import type { EnvironmentTarget } from '../environmentTarget.ts'
import {} from '../formatResponses.ts'

interface BaselineOptions extends RunOptions {
  readonly duration?: number
  readonly live?: boolean
  readonly release?: string
  readonly output?: string
  readonly input?: string
  readonly compare?: number | true
  readonly show?: number | true
  readonly list?: boolean
}

export const registerBaseline: RegisterCommand = (program, run) => {
  addRunOptions(addTargetOptions(program.command('baseline')))
    .description('Measure current performance for later comparison, from Prometheus history or live')
    .option(
      '--duration <time>',
      'Period to measure: 60s, 10m, 24h, 7d (default: 24h)',
      durationParser(BASELINE_DURATION_BOUNDS),
    )
    .option('--live', 'Sample from now on instead of reading Prometheus history')
    .option('--release <name>', 'Release of the application')
    .option('--output <file>', 'Write the baseline to this file, as JSON')
    .option('--input <file>', 'Import a baseline from a file that --output wrote (requires an admin token)')
    .option('--compare [id]', 'Compare current performance with a baseline (default: the newest usable one)', parseId)
    .option('--show [id]', 'Show a baseline (default: the newest usable one)', parseId)
    .option('--list', 'List all baselines')
    .addHelpText('after', '\nExit codes: 0 done. With --compare: 0 pass, 1 fail, 4 inconclusive.')
    .action(run(runBaseline))
}

/** Signals are read every 5 s, and a baseline requires at least 8 readings. */
const MIN_LIVE_SECONDS = 60

async function runBaseline(terminal: Terminal, options: BaselineOptions): Promise<ExitCode> {
  const { input, compare, show, list, duration: durationSeconds, live, release } = options
  const modes = Object.entries({ input, compare, show, list }).filter(([, value]) => value !== undefined)
  if (modes.length > 1) throw usageError(`Use only one of ${modes.map(([name]) => `--${name}`).join(' and ')}.`)
  if (live && durationSeconds !== undefined && durationSeconds < MIN_LIVE_SECONDS)
    throw usageError('--live requires a --duration of at least 60s, for enough readings.')
  const isMeasurement = [durationSeconds, live, release].some((value) => value !== undefined)
  if (modes[0] && isMeasurement)
    throw usageError(`--duration, --live and --release cannot be combined with --${modes[0][0]}.`)
  if (options.output !== undefined && (input ?? compare ?? list) !== undefined)
    throw usageError('--output requires a new baseline or --show.')
  if (options.output !== undefined && (options.detach || options.dryRun))
    throw usageError('--output waits for the baseline. Remove --detach and --dry-run.')
  if (options.output !== undefined) await requireWritable(terminal, options.output)
  const content = input === undefined ? null : await readBaselineFile(terminal, input)
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const name = rollout.rollout
  if (content !== null) return await importBaseline(target, name, content, options, output)
  if (compare !== undefined) {
    const comparison = await target.agent.compareBaseline(name, compare === true ? 'newest' : compare)
    for (const line of formatComparison(comparison, terminal.stdout.columns)) output.line(line)
    output.value(comparison)
    return EXIT_CODE_OF_VERDICT[comparison.verdict]
  }
  if (list) {
    const baselines = await target.agent.baselines(name)
    for (const summary of baselines) output.value(summary)
    if (baselines.length === 0) output.line('No baseline exists yet.')
    else output.table([BASELINE_COLUMNS, ...baselines.map(formatBaselineRow)])
    return ExitCode.done
  }
  if (show !== undefined)
    return await showBaseline(target, name, show === true ? 'newest' : show, options, terminal, output)
  const request = {
    kind: 'baseline' as const,
    environment: target.environment,
    parameters: { durationSeconds: durationSeconds ?? 86_400, live, release },
    reason: options.reason,
  }
  const operation = await runOperation(target, name, request, output, options)
  if (operation === null || options.detach) return ExitCode.done
  if (operation.state !== 'succeeded') return ExitCode.failed
  return await showBaseline(target, name, Number(operation.result?.['baseline']), options, terminal, output)
}

/** Prints a baseline and writes it to the file of `--output`. */
async function showBaseline(
  target: EnvironmentTarget,
  rollout: string,
  id: number | 'newest',
  options: BaselineOptions,
  terminal: Terminal,
  output: Output,
): Promise<ExitCode> {
  const { content, ...summary } = await target.agent.baseline(rollout, id)
  for (const line of formatBaseline(summary, terminal.stdout.columns)) output.line(line)
  output.value(summary)
  if (options.output !== undefined) {
    await writeJsonFile(terminal, options.output, content)
    output.line(`Written to ${options.output}.`)
  }
  return ExitCode.done
}

async function importBaseline(
  target: EnvironmentTarget,
  rollout: string,
  content: BaselineContent,
  options: BaselineOptions,
  output: Output,
): Promise<ExitCode> {
  const { reason } = options
  if (options.dryRun || options.detach) throw usageError('--dry-run and --detach cannot be combined with --input.')
  const imported = await target.agent.importBaseline(rollout, {
    content,
    oneRunOnly: false,
    ...(reason ? { reason } : {}),
  })
  output.value(imported)
  output.line(
    `Imported baseline ${imported.id} of ${rollout}, measured ${formatAgo(imported.endedAt)} in ${imported.environment}.`,
  )
  for (const sentence of [...imported.unusable, ...imported.warnings]) output.note(`Warning: ${sentence}.`)
  return ExitCode.done
}

/** @throws CliError usage: `--output` did not write this file */
export async function readBaselineFile(terminal: Terminal, path: string): Promise<BaselineContent> {
  const parsed = BaselineContent.safeParse(await readJsonFile(terminal, path))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues
    .slice(0, 5)
    .map(({ path: location, message }) => `${location.join('.')}: ${message}`)
  throw usageError(`${path} is not a baseline file of sti baseline --output (${faults.join('; ')}).`)
}
