import cliProgress from 'cli-progress'
import { describeComparison, type Operation, type OperationProgress } from '../contract/index.ts'
import { formatCount, formatDuration, formatPercent, formatQuantity } from '../format/format.ts'
import { toVisibleLine } from '../format/visibleText.ts'
import { writeJson, writeLine, type Terminal } from './terminal.ts'

export interface ProgressView {
  show(operation: Operation): void
  /** Prints a permanent line above the bar. */
  line(text: string): void
  end(): void
}

/** `52.1%  521,000 / 1,000,000 rows  2,940,000 rows/min  10 s left`, then the reason if throttled. */
export function formatProgress(progress: OperationProgress): string {
  if (progress.ramp) {
    const { step, steps, percentage, heldSeconds, holdSeconds, why, comparison } = progress.ramp
    const compared = comparison == null ? [] : [describeComparison(comparison)]
    const held = `held for ${formatDuration(heldSeconds)} of ${formatDuration(holdSeconds)}`
    return [`on at ${percentage}%, step ${step} of ${steps.length}`, held, ...compared, ...why].join('  ')
  }
  if (progress.unit === 'steps') {
    return [formatPercent(progress.ratio), `${progress.processedRows} of ${progress.totalRows} steps`].join('  ')
  }
  if (progress.unit === 'seconds') {
    return `${formatPercent(progress.ratio)}  ${formatDuration(progress.processedRows)} of ${formatDuration(progress.totalRows)} sampled`
  }
  const parts = [
    formatPercent(progress.ratio),
    `${formatCount(progress.processedRows)} / ${formatCount(progress.totalRows)} rows`,
    progress.rowsPerSecond === null ? null : `${formatCount(progress.rowsPerSecond * 60)} rows/min`,
    progress.remainingSeconds === null ? null : `${formatDuration(progress.remainingSeconds)} left`,
    progress.failedRows > 0 ? `${formatCount(progress.failedRows)} failed` : null,
    progress.throttled === null ? null : `throttled: ${progress.throttled}`,
    progress.held ? formatHeldRows(progress.held) : null,
  ]
  return parts.filter((part) => part !== null).join('  ')
}

/** `1 row locked by pid 12 (…)`; `waiting for` once everything else is written. */
function formatHeldRows({ rows, holders, waiting }: NonNullable<OperationProgress['held']>): string {
  const what = rows === 0 ? 'a lock' : `${formatQuantity(rows, 'row')} locked`
  return `${waiting || rows === 0 ? 'waiting for ' : ''}${what}${holders === '' ? '' : ` by ${holders}`}`
}

/** The progress of the table walk; after the walk, the current step. */
function formatActivity({ step, endedAt }: Operation, progress: OperationProgress): string {
  return progress.ratio === 1 && step !== null && endedAt === null ? step : formatProgress(progress)
}

const formatOperationLine = (operation: Operation): string => {
  const head = `${operation.kind} ${operation.id}  ${operation.state}`
  if (operation.progress) return `${head}  ${formatActivity(operation, operation.progress)}`
  return operation.step ? `${head}  ${operation.step}` : head
}

interface BarPayload {
  readonly head: string
  /** Null for an operation without a table walk: it has no bar. */
  readonly ratio: number | null
  readonly text: string
}

const BAR_WIDTH = 24

function formatBar(_options: unknown, _values: unknown, { head, ratio, text }: BarPayload): string {
  const visible = toVisibleLine(text)
  if (ratio === null) return `${head}  ${visible}`
  const full = Math.floor(ratio * BAR_WIDTH)
  return `${head} [${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${visible}`
}

/** A progress bar for a terminal. */
export function createBarView(terminal: Terminal): ProgressView {
  const bars = new cliProgress.MultiBar(
    {
      stream: terminal.stderr,
      format: formatBar,
      hideCursor: true,
      fps: 10,
      autopadding: false,
      linewrap: false,
      gracefulExit: false,
    },
    cliProgress.Presets.legacy,
  )
  let bar: cliProgress.SingleBar | null = null
  return {
    show(operation) {
      const progress = operation.progress
      const state = operation.state === 'running' && (progress ?? operation.step) ? null : operation.state
      const activity = progress ? formatActivity(operation, progress) : operation.step
      const payload: BarPayload = {
        head: operation.kind,
        ratio: progress?.ratio ?? null,
        text: [state, activity].filter((part) => part !== null).join('  '),
      }
      bar ??= bars.create(1, 0, payload)
      bar.update(progress ? progress.ratio : 0, payload)
    },
    line: (text) => bars.log(`${toVisibleLine(text)}\n`),
    end: () => bars.stop(),
  }
}

/** Lines for a log: one when the state or the step changes, and otherwise at most one per `intervalMs`. */
export function createLineView(terminal: Terminal, intervalMs: number): ProgressView {
  let last = ''
  let lastAt = 0
  return {
    show(operation) {
      const nothingToShow = operation.progress === null && operation.step === null
      if (operation.endedAt !== null || (nothingToShow && operation.state !== 'paused')) return
      const key = `${operation.state} ${operation.step} ${operation.progress?.throttled ?? ''} ${operation.progress?.held?.holders ?? ''}`
      if (key === last && Date.now() - lastAt < intervalMs) return
      last = key
      lastAt = Date.now()
      writeLine(terminal.stderr, formatOperationLine(operation))
    },
    line: (text) => writeLine(terminal.stderr, text),
    end: () => undefined,
  }
}

/** For `--json`: prints the operation each time it changes. */
export function createJsonView(terminal: Terminal): ProgressView {
  let last = ''
  return {
    show(operation) {
      const text = JSON.stringify(operation)
      if (text !== last) writeJson(terminal.stdout, operation)
      last = text
    },
    line: () => undefined,
    end: () => undefined,
  }
}
