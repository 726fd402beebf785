import { InvalidArgumentError } from 'commander'
import { BaselineContent } from '../../contract/index.ts'
import { mustBeWritable, readJsonFile, writeJsonFile } from '../files.ts'
import { baselineLines, baselineRow, baselineHead, comparisonLines } from '../baselineText.ts'
import { Exit, usage } from '../exit.ts'
import { duration } from '../numbers.ts'
import { exitOfVerdict } from '../verdict.ts'
import { runOperation, withRun, type RunOptions } from '../runOperation.ts'
import { openRollout, withTarget, type Register } from '../session.ts'
import type { Output, Terminal } from '../terminal.ts'
import type { Target } from '../target.ts'
import { columns } from '../text.ts'

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

export const registerBaseline: Register = (program, run) => {
  withRun(withTarget(program.command('baseline')))
    .description('measure how things are now, for later ones to be compared with: from history, or live')
    .option('--duration <time>', 'how much of it: 60s, 10m, 24h, 7d (default: 24h)', seconds)
    .option('--live', 'sample from now on, instead of reading what Prometheus knows')
    .option('--release <name>', 'the application’s release that it belongs to')
    .option('--output <file>', 'write the baseline to this file, as JSON')
    .option('--input <file>', 'import a baseline from such a file; needs an admin token')
    .option('--compare [id]', 'compare what is now with the newest baseline, or with this one', baselineId)
    .option('--show [id]', 'the newest baseline that can be used, or this one', baselineId)
    .option('--list', 'every baseline there is')
    .addHelpText('after', '\nExit codes: 0 done; with --compare 0 pass, 1 fail, 4 inconclusive.')
    .action(run(baseline))
}

/** A signal is read each 5 s, and fewer than 8 readings are no baseline. */
const SHORTEST_LIVE_SECONDS = 60

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

function seconds(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  const value = Number(number) * (UNITS[unit ?? ''] ?? NaN)
  if (!(value >= 5 && value <= 31 * 86_400))
    throw new InvalidArgumentError('Write a time from 5s to 31d, such as 60s, 10m, 24h or 7d.')
  return value
}

function baselineId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be the number of a baseline (--list).')
  return Number(text)
}

async function baseline(terminal: Terminal, options: BaselineOptions): Promise<Exit> {
  const { input, compare, show, list, duration: wanted, live, release } = options
  const others = Object.entries({ input, compare, show, list }).filter(([, value]) => value !== undefined)
  if (others.length > 1) throw usage(`Say one of ${others.map(([name]) => `--${name}`).join(' and ')}.`)
  if (live && wanted !== undefined && wanted < SHORTEST_LIVE_SECONDS)
    throw usage('--live needs a --duration of 60s at least: fewer readings say nothing.')
  const measuring = [wanted, live, release].some((value) => value !== undefined)
  if (others[0] && measuring) throw usage(`--duration, --live and --release do not go with --${others[0][0]}.`)
  if (options.output !== undefined && (input ?? compare ?? list) !== undefined)
    throw usage('--output goes with a new baseline, or with --show.')
  if (options.output !== undefined && (options.detach || options.dryRun))
    throw usage('--output waits for the baseline: leave --detach and --dry-run out.')
  if (options.output !== undefined) await mustBeWritable(terminal, options.output)
  const content = input === undefined ? null : await readContent(terminal, input)
  const { target, rollout, output } = await openRollout(terminal, options)
  const name = rollout.rollout
  if (content !== null) return await importOne(target, name, content, options, output)
  if (compare !== undefined) {
    const comparison = await target.agent.compareBaseline(name, compare === true ? 'newest' : compare)
    for (const line of comparisonLines(comparison)) output.line(line)
    output.value(comparison)
    return exitOfVerdict[comparison.verdict]
  }
  if (list) {
    const all = await target.agent.baselines(name)
    for (const one of all) output.value(one)
    if (all.length === 0) output.line('There is no baseline yet.')
    else for (const line of columns([baselineHead, ...all.map(baselineRow)])) output.line(line)
    return Exit.done
  }
  if (show !== undefined) return await give(target, name, show === true ? 'newest' : show, options, terminal, output)
  const request = {
    kind: 'baseline' as const,
    environment: target.environment,
    parameters: { durationSeconds: wanted ?? 86_400, live, release },
    reason: options.reason,
  }
  const operation = await runOperation(target, name, request, output, options)
  if (operation === null || options.detach) return Exit.done
  if (operation.state !== 'succeeded') return Exit.failed
  return await give(target, name, Number(operation.result?.['baseline']), options, terminal, output)
}

/** Shows a baseline, and writes it where `--output` says. */
async function give(
  target: Target,
  rollout: string,
  id: number | 'newest',
  options: BaselineOptions,
  terminal: Terminal,
  output: Output,
): Promise<Exit> {
  const { content, ...summary } = await target.agent.baseline(rollout, id)
  for (const line of baselineLines(summary)) output.line(line)
  output.value(summary)
  if (options.output !== undefined) {
    await writeJsonFile(terminal, options.output, content)
    output.line(`Written to ${options.output}.`)
  }
  return Exit.done
}

async function importOne(
  target: Target,
  rollout: string,
  content: BaselineContent,
  options: BaselineOptions,
  output: Output,
): Promise<Exit> {
  const { reason } = options
  if (options.dryRun || options.detach) throw usage('--dry-run and --detach do not go with --input.')
  const kept = await target.agent.importBaseline(rollout, { content, oneRunOnly: false, ...(reason ? { reason } : {}) })
  output.value(kept)
  output.line(`Baseline ${kept.id} of ${rollout}, measured ${duration(age(kept.endedAt))} ago in ${kept.environment}.`)
  for (const sentence of [...kept.unusable, ...kept.warnings]) output.note(`Warning: ${sentence}.`)
  return Exit.done
}

const age = (instant: string): number => Math.max(0, (Date.now() - Date.parse(instant)) / 1000)

/** @throws CliError usage: the file is none that `--output` wrote */
export async function readContent(terminal: Terminal, path: string): Promise<BaselineContent> {
  const parsed = BaselineContent.safeParse(await readJsonFile(terminal, path))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.slice(0, 5).map(({ path: where, message }) => `${where.join('.')}: ${message}`)
  throw usage(`${path} is not a baseline as sti baseline --output writes it (${faults.join('; ')}).`)
}
