import { InvalidArgumentError } from 'commander'
import { BASELINE_DURATION_BOUNDS, BaselineContent } from '../../contract/index.ts'
import { requireWritable, readJsonFile, writeJsonFile } from '../jsonFiles.ts'
import { formatBaseline, formatBaselineRow, BASELINE_COLUMNS, formatComparison } from '../formatBaseline.ts'
import { ExitCode, usageError } from '../exitCode.ts'
import { formatDuration } from '../formatNumbers.ts'
import { EXIT_CODE_OF_VERDICT } from '../verdictExitCode.ts'
import { runOperation, addRunOptions, type RunOptions } from '../runOperation.ts'
import { openCommandRollout, addTargetOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Output, Terminal } from '../terminal.ts'
import type { EnvironmentTarget } from '../environmentTarget.ts'
import { alignColumns } from '../formatResponses.ts'

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
    .description('measure how things are now, for later ones to be compared with: from history, or live')
    .option('--duration <time>', 'how much of it: 60s, 10m, 24h, 7d (default: 24h)', parseDurationSeconds)
    .option('--live', 'sample from now on, instead of reading what Prometheus knows')
    .option('--release <name>', 'the application’s release that it belongs to')
    .option('--output <file>', 'write the baseline to this file, as JSON')
    .option('--input <file>', 'import a baseline from such a file; needs an admin token')
    .option('--compare [id]', 'compare what is now with the newest baseline, or with this one', parseBaselineId)
    .option('--show [id]', 'the newest baseline that can be used, or this one', parseBaselineId)
    .option('--list', 'every baseline there is')
    .addHelpText('after', '\nExit codes: 0 done; with --compare 0 pass, 1 fail, 4 inconclusive.')
    .action(run(runBaseline))
}

/** A signal is read each 5 s, and fewer than 8 readings are no baseline. */
const MIN_LIVE_SECONDS = 60

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

function parseDurationSeconds(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  const value = Number(number) * (UNIT_SECONDS[unit ?? ''] ?? NaN)
  if (!(value >= BASELINE_DURATION_BOUNDS.minimum && value <= BASELINE_DURATION_BOUNDS.maximum))
    throw new InvalidArgumentError('Write a time from 5s to 31d, such as 60s, 10m, 24h or 7d.')
  return value
}

function parseBaselineId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be the number of a baseline (--list).')
  return Number(text)
}

async function runBaseline(terminal: Terminal, options: BaselineOptions): Promise<ExitCode> {
  const { input, compare, show, list, duration: durationSeconds, live, release } = options
  const modes = Object.entries({ input, compare, show, list }).filter(([, value]) => value !== undefined)
  if (modes.length > 1) throw usageError(`Say one of ${modes.map(([name]) => `--${name}`).join(' and ')}.`)
  if (live && durationSeconds !== undefined && durationSeconds < MIN_LIVE_SECONDS)
    throw usageError('--live needs a --duration of 60s at least: fewer readings say nothing.')
  const measuring = [durationSeconds, live, release].some((value) => value !== undefined)
  if (modes[0] && measuring) throw usageError(`--duration, --live and --release do not go with --${modes[0][0]}.`)
  if (options.output !== undefined && (input ?? compare ?? list) !== undefined)
    throw usageError('--output goes with a new baseline, or with --show.')
  if (options.output !== undefined && (options.detach || options.dryRun))
    throw usageError('--output waits for the baseline: leave --detach and --dry-run out.')
  if (options.output !== undefined) await requireWritable(terminal, options.output)
  const content = input === undefined ? null : await readBaselineFile(terminal, input)
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const name = rollout.rollout
  if (content !== null) return await importBaseline(target, name, content, options, output)
  if (compare !== undefined) {
    const comparison = await target.agent.compareBaseline(name, compare === true ? 'newest' : compare)
    for (const line of formatComparison(comparison)) output.line(line)
    output.value(comparison)
    return EXIT_CODE_OF_VERDICT[comparison.verdict]
  }
  if (list) {
    const all = await target.agent.baselines(name)
    for (const summary of all) output.value(summary)
    if (all.length === 0) output.line('There is no baseline yet.')
    else for (const line of alignColumns([BASELINE_COLUMNS, ...all.map(formatBaselineRow)])) output.line(line)
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

/** Shows a baseline, and writes it where `--output` says. */
async function showBaseline(
  target: EnvironmentTarget,
  rollout: string,
  id: number | 'newest',
  options: BaselineOptions,
  terminal: Terminal,
  output: Output,
): Promise<ExitCode> {
  const { content, ...summary } = await target.agent.baseline(rollout, id)
  for (const line of formatBaseline(summary)) output.line(line)
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
  if (options.dryRun || options.detach) throw usageError('--dry-run and --detach do not go with --input.')
  const imported = await target.agent.importBaseline(rollout, {
    content,
    oneRunOnly: false,
    ...(reason ? { reason } : {}),
  })
  output.value(imported)
  output.line(
    `Baseline ${imported.id} of ${rollout}, measured ${formatDuration(ageSeconds(imported.endedAt))} ago in ${imported.environment}.`,
  )
  for (const sentence of [...imported.unusable, ...imported.warnings]) output.note(`Warning: ${sentence}.`)
  return ExitCode.done
}

const ageSeconds = (instant: string): number => Math.max(0, (Date.now() - Date.parse(instant)) / 1000)

/** @throws CliError usage: the file is none that `--output` wrote */
export async function readBaselineFile(terminal: Terminal, path: string): Promise<BaselineContent> {
  const parsed = BaselineContent.safeParse(await readJsonFile(terminal, path))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues
    .slice(0, 5)
    .map(({ path: location, message }) => `${location.join('.')}: ${message}`)
  throw usageError(`${path} is not a baseline as sti baseline --output writes it (${faults.join('; ')}).`)
}
