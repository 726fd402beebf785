import { isEnded, type Operation } from '../contract/index.ts'
import { AgentUnreachableError, type AgentClient } from './agentClient.ts'
import { CliError, ExitCode } from './exitCode.ts'
import { createBarView, createJsonView, createLineView, type ProgressView } from './progressView.ts'
import type { Output } from './terminal.ts'

const POLL_INTERVAL_MS = 500
/** How long an agent may be away before we stop looking; the operation may well go on. */
const UNREACHABLE_TIMEOUT_MS = 120_000

export interface FollowOptions {
  /** Lines about progress where there is no terminal, too. */
  readonly progressLines?: boolean
  /** Each event of the operation as a line. */
  readonly events?: boolean
  /** How to cancel it, for the one who detaches. */
  readonly cancelHint: string
}

/**
 * Looks at an operation every 500 ms until it ended, and gives its last state. Ctrl-C stops the looking, not the
 * operation. When one agent goes away the next is asked.
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
  try {
    let operation = started
    view.show(operation)
    while (!isEnded(operation.state)) {
      await Promise.race([sleep(POLL_INTERVAL_MS), interrupt.promise])
      if (interrupt.signal()) throw detachedError(operation, options.cancelHint)
      operation = await askAnyAgent(agents, (agent) => agent.operation(started.id), {
        line: (text) => view.line(text),
        stop: () => interrupt.signal(),
        then: `Operation ${started.id} may go on without it: look again with: sti watch ${started.id}`,
      })
      view.show(operation)
      if (options.events) await printNewEvents(agents, operation.id, view, lastShown)
    }
    return operation
  } finally {
    view.end()
    interrupt.release()
  }
}

function chooseView(output: Output, reporting: boolean): ProgressView {
  if (output.json) return createJsonView(output.terminal)
  if (output.terminal.stderr.isTTY) return createBarView(output.terminal)
  return createLineView(output.terminal, reporting ? 5_000 : 60_000)
}

/** Asks one agent after the other for as long as one may be away, and whoever answers gives the answer. */
export async function askAnyAgent<T>(
  agents: readonly AgentClient[],
  ask: (agent: AgentClient) => Promise<T>,
  {
    line: printLine,
    stop: shouldStop,
    then: advice,
  }: { line(text: string): void; stop(): boolean; readonly then: string },
): Promise<T> {
  const since = Date.now()
  for (let attempt = 0; ; attempt++) {
    const agent = agents[attempt % agents.length]
    if (!agent) throw new CliError(ExitCode.usage, 'usage', 'No agent is configured.')
    try {
      return await ask(agent)
    } catch (error) {
      if (!(error instanceof CliError) || (!(error instanceof AgentUnreachableError) && error.code !== 'database-away'))
        throw error
      if (attempt === 0) printLine(`${error.message} Asking again.`)
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
    `Stopped looking; ${operation.kind} ${operation.id} goes on in the agent. Look again: sti watch ${operation.id}; ` +
      `end it: ${cancelHint}`,
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
