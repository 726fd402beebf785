import { isEnded, type Operation } from '../contract/index.ts'
import { AgentUnreachableError, type AgentClient } from './agentClient.ts'
import { CliError, ExitCode } from './exitCode.ts'
import { createStallWatch, describeWait, explainWait, waitAdvice, waitingError } from './explainWait.ts'
import { createBarView, createJsonView, createLineView, type ProgressView } from './progressView.ts'
import type { Output } from './terminal.ts'

const POLL_INTERVAL_MS = 500
/** A shorter wait is not worth a line. */
const REPORT_WAIT_AFTER_SECONDS = 30
const DEFAULT_WAIT_TIMEOUT_SECONDS = 600
/** After this time without an agent the command gives up; the operation may still be running. */
const UNREACHABLE_TIMEOUT_MS = 120_000

export interface FollowOptions {
  /** Prints progress lines every 5 s, even without a terminal. */
  readonly progressLines?: boolean
  /** Prints each event of the operation. */
  readonly events?: boolean
  /** Seconds without progress after which a command without a terminal ends; default 10 minutes. */
  readonly waitTimeout?: number
  /** The command that cancels the operation, shown after Ctrl-C. */
  readonly cancelHint: string
}

/**
 * Polls an operation every 500 ms until it ends, and returns its final state. Ctrl-C stops watching and does not
 * affect the operation. If an agent becomes unavailable, the next one is polled. An operation that is paused or makes no
 * progress says why, and how to resume or cancel it; nobody would read that in a pipeline, so that the command ends there.
 *
 * @throws CliError detached: Ctrl-C; AgentUnreachableError's code: no agent responded for two minutes; paused or waiting:
 * the operation does not continue, and there is no terminal
 */
export async function followOperation(
  agents: readonly AgentClient[],
  started: Operation,
  output: Output,
  options: FollowOptions,
): Promise<Operation> {
  const view = chooseView(output, options.progressLines ?? false)
  const interrupt = listenForInterrupt()
  const lastShown = { event: 0 }
  const reportWait = createWaitReport(agents, output, view, options.waitTimeout ?? DEFAULT_WAIT_TIMEOUT_SECONDS)
  try {
    let operation = started
    view.show(operation)
    await reportWait(operation)
    while (!isEnded(operation.state)) {
      await Promise.race([sleep(POLL_INTERVAL_MS), interrupt.promise])
      if (interrupt.signal()) throw detachedError(operation, options.cancelHint)
      operation = await requestAnyAgent(agents, (agent) => agent.operation(started.id), {
        line: (text) => view.line(text),
        stop: () => interrupt.signal(),
        advice: `Operation ${started.id} may still be running. To watch it again: sti watch ${started.id}`,
      })
      view.show(operation)
      if (options.events) await printNewEvents(agents, operation.id, view, lastShown)
      await reportWait(operation)
    }
    return operation
  } finally {
    view.end()
    interrupt.release()
  }
}

/**
 * Says once per pause, and once per wait that lasts, why an operation does not continue.
 *
 * @throws CliError paused or waiting, if there is no terminal to show it on
 */
function createWaitReport(
  agents: readonly AgentClient[],
  output: Output,
  view: ProgressView,
  timeoutSeconds: number,
): (operation: Operation) => Promise<void> {
  const hasTerminal = output.terminal.stderr.isTTY === true
  const stallWatch = createStallWatch(timeoutSeconds)
  let reported = ''
  return async (operation) => {
    const { seconds, isTooLong } = stallWatch.observe(operation)
    const isPaused = operation.state === 'paused'
    if (isEnded(operation.state) || !(isPaused || seconds > REPORT_WAIT_AFTER_SECONDS)) {
      reported = ''
      return
    }
    const ends = !hasTerminal && (isPaused || isTooLong)
    if (!ends && reported === operation.state) return
    reported = operation.state
    const why = await explainWaitOfAny(agents, operation)
    if (ends) throw waitingError(operation, seconds, why)
    for (const line of [describeWait(operation, seconds, why), ...waitAdvice(operation)]) view.line(line)
  }
}

/** The first agent that responds explains the wait; without one, the error of the last. */
async function explainWaitOfAny(agents: readonly AgentClient[], operation: Operation): Promise<string> {
  let failure = 'No agent is configured.'
  for (const agent of agents) {
    try {
      return await explainWait(agent, operation)
    } catch (error) {
      failure = (error as Error).message
    }
  }
  return failure
}

function chooseView(output: Output, reporting: boolean): ProgressView {
  if (output.json) return createJsonView(output.terminal)
  if (output.terminal.stderr.isTTY) return createBarView(output.terminal)
  return createLineView(output.terminal, reporting ? 5_000 : 60_000)
}

/** Sends the request to one agent after the other, for up to two minutes, until one responds. */
export async function requestAnyAgent<T>(
  agents: readonly AgentClient[],
  request: (agent: AgentClient) => Promise<T>,
  { line: printLine, stop: shouldStop, advice }: { line(text: string): void; stop(): boolean; readonly advice: string },
): Promise<T> {
  const since = Date.now()
  for (let attempt = 0; ; attempt++) {
    const agent = agents[attempt % agents.length]
    if (!agent) throw new CliError(ExitCode.usage, 'usage', 'No agent is configured.')
    try {
      return await request(agent)
    } catch (error) {
      if (!(error instanceof CliError) || (!(error instanceof AgentUnreachableError) && error.code !== 'database-away'))
        throw error
      if (attempt === 0) printLine(`${error.message} Retrying.`)
      if (shouldStop() || Date.now() - since > UNREACHABLE_TIMEOUT_MS) {
        throw new CliError(ExitCode.inconclusive, error.code, `${error.message} ${advice}`)
      }
      await sleep(POLL_INTERVAL_MS)
    }
  }
}

async function printNewEvents(
  agents: readonly AgentClient[],
  id: number,
  view: ProgressView,
  lastShown: { event: number },
): Promise<void> {
  const events = (await agents[0]?.events(id).catch(() => [])) ?? []
  for (const event of events.filter((candidate) => candidate.id > lastShown.event)) {
    view.line(`${event.at}  ${event.kind}  ${event.message}`)
    lastShown.event = event.id
  }
}

function detachedError(operation: Operation, cancelHint: string): CliError {
  return new CliError(
    ExitCode.inconclusive,
    'detached',
    `Stopped watching. ${operation.kind} ${operation.id} continues in the agent. To watch it again: ` +
      `sti watch ${operation.id}. To cancel it: ${cancelHint}`,
  )
}

function listenForInterrupt() {
  let fired = false
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  const handler = (): void => {
    fired = true
    resolve()
  }
  process.on('SIGINT', handler)
  return { promise, signal: () => fired, release: () => process.off('SIGINT', handler) }
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
