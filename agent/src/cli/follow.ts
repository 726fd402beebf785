import type { Operation } from '../contract/index.ts'
import { AgentAway, type AgentClient } from './client.ts'
import { CliError, Exit } from './exit.ts'
import { barView, jsonView, lineView, type ProgressView } from './progressBar.ts'
import type { Output } from './terminal.ts'

const POLL_MS = 500
/** How long an agent may be away before we stop looking; the operation may well go on. */
const AWAY_LIMIT_MS = 120_000

export interface FollowOptions {
  /** Lines about progress where there is no terminal, too. */
  readonly reporting?: boolean
  /** Each event of the operation as a line. */
  readonly events?: boolean
  /** How to cancel it, for the one who detaches. */
  readonly cancelHint: string
}

const ended = (operation: Operation): boolean => ['succeeded', 'failed', 'cancelled'].includes(operation.state)

/**
 * Looks at an operation every 500 ms until it ended, and gives its last state. Ctrl-C stops the looking, not the
 * operation. When one agent goes away the next is asked.
 */
export async function follow(
  agents: readonly AgentClient[],
  started: Operation,
  output: Output,
  options: FollowOptions,
): Promise<Operation> {
  const view = chooseView(output, options.reporting ?? false)
  const interrupted = interruption()
  const seen = { event: 0 }
  try {
    let operation = started
    view.show(operation)
    while (!ended(operation)) {
      await Promise.race([pause(POLL_MS), interrupted.promise])
      if (interrupted.signal()) throw detached(operation, options.cancelHint)
      operation = await askAny(agents, (agent) => agent.operation(started.id), {
        line: (text) => view.line(text),
        stop: () => interrupted.signal(),
        then: `Operation ${started.id} may go on without it: look again with: sti watch ${started.id}`,
      })
      view.show(operation)
      if (options.events) await showEvents(agents, operation.id, view, seen)
    }
    return operation
  } finally {
    view.end()
    interrupted.release()
  }
}

function chooseView(output: Output, reporting: boolean): ProgressView {
  if (output.json) return jsonView(output.terminal)
  if (output.terminal.stderr.isTTY) return barView(output.terminal)
  return lineView(output.terminal, reporting ? 5_000 : 60_000)
}

/** Asks one agent after the other for as long as one may be away, and whoever answers gives the answer. */
export async function askAny<T>(
  agents: readonly AgentClient[],
  ask: (agent: AgentClient) => Promise<T>,
  { line, stop, then }: { line(text: string): void; stop(): boolean; readonly then: string },
): Promise<T> {
  const since = Date.now()
  for (let attempt = 0; ; attempt++) {
    const agent = agents[attempt % agents.length]
    if (!agent) throw new CliError(Exit.usage, 'usage', 'No agent is configured.')
    try {
      return await ask(agent)
    } catch (error) {
      if (!(error instanceof CliError) || (!(error instanceof AgentAway) && error.code !== 'database-away')) throw error
      if (attempt === 0) line(`${error.message} Asking again.`)
      if (stop() || Date.now() - since > AWAY_LIMIT_MS) {
        throw new CliError(Exit.inconclusive, error.code, `${error.message} ${then}`)
      }
      await pause(POLL_MS)
    }
  }
}

async function showEvents(
  agents: readonly AgentClient[],
  id: number,
  view: ProgressView,
  seen: { event: number },
): Promise<void> {
  const events = (await agents[0]?.events(id).catch(() => [])) ?? []
  for (const event of events.filter((one) => one.id > seen.event)) {
    view.line(`${event.at}  ${event.kind}  ${event.message}`)
    seen.event = event.id
  }
}

function detached(operation: Operation, cancelHint: string): CliError {
  return new CliError(
    Exit.inconclusive,
    'detached',
    `Stopped looking; ${operation.kind} ${operation.id} goes on in the agent. Look again: sti watch ${operation.id}; ` +
      `end it: ${cancelHint}`,
  )
}

function interruption() {
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

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
