import type { Operation } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import type { AgentClient } from './agentClient.ts'
import { CliError, ExitCode } from './exitCode.ts'

/** The factor for an operation that reports no change at all but may still be working, such as an index build. */
const SILENT_FACTOR = 6

/** The operation's own reason to wait; null if it has none. */
export function statedWait({ state, step, progress, error }: Operation): string | null {
  if (state === 'paused' || state === 'queued') return error
  if (progress?.throttled != null) return progress.throttled
  if (progress?.ramp !== undefined && progress.ramp.why.length > 0) return progress.ramp.why.join(' ')
  return step !== null && /^waiting/i.test(step) ? step : null
}

/** Measures for how long an operation has made no progress. */
export function createStallWatch(timeoutSeconds: number, now: () => number = Date.now) {
  let lastProgress = ''
  let since = now()
  return {
    /** Seconds without progress, and whether that exceeds the wait of a command without a terminal. */
    observe(operation: Operation): { readonly seconds: number; readonly isTooLong: boolean } {
      const progress = progressMark(operation)
      if (progress !== lastProgress) since = now()
      lastProgress = progress
      const seconds = (now() - since) / 1000
      const limit = statesReason(operation) ? timeoutSeconds : timeoutSeconds * SILENT_FACTOR
      return { seconds, isTooLong: seconds > limit }
    },
  }
}

const statesReason = (operation: Operation): boolean => operation.state === 'queued' || statedWait(operation) !== null

/** Changes with each progress, but not with the reason of a wait. */
function progressMark(operation: Operation): string {
  const { state, step, progress } = operation
  const { processedRows = 0, writtenRows = 0, failedRows = 0, ramp } = progress ?? {}
  const held = ramp === undefined ? '' : `${ramp.step} ${Math.min(ramp.heldSeconds, ramp.holdSeconds)}`
  return [state, statesReason(operation) ? '' : step, processedRows, writtenRows, failedRows, held].join(' ')
}

/** Why an operation is paused or waits, in one sentence: from the operation, its events, or its rollout. */
export async function explainWait(agent: AgentClient, operation: Operation): Promise<string> {
  const stated = statedWait(operation)
  if (stated !== null) return stated
  const events = await agent.events(operation.id)
  if (operation.state === 'paused') {
    const request = events.findLast(
      ({ kind, message }) => kind === 'state' && /^pause(?!d at a safe point)/i.test(message),
    )
    return request === undefined
      ? 'Its events do not contain the reason.'
      : `${request.actor.name} paused it${request.reason === null ? ' without a reason' : `: ${request.reason}`}.`
  }
  if (operation.state === 'queued') {
    const { faults, notes } = await agent.rollout(operation.rollout)
    const reasons = [...faults, ...notes]
    return reasons.length > 0 ? reasons.join(' ') : 'No agent has claimed it. To see the agents: sti status'
  }
  const wait = events.findLast(({ kind }) => kind === 'ddl' || kind === 'throttle')
  return wait !== undefined && /waiting/i.test(wait.message)
    ? wait.message
    : `It reports no change (${operation.step ?? 'no step'}).`
}

/** The commands for an operation that is paused or waits. */
export function waitAdvice({ id, state }: Operation): string[] {
  return [
    state === 'paused' ? `To resume it: sti operations resume ${id}` : `To watch it: sti watch ${id}`,
    `To cancel it: sti operations cancel ${id}`,
  ]
}

/** Starts with the state of the operation: `expand 3 is paused`, `backfill 2 has made no progress for 10 min`. */
export function describeWait(operation: Operation, seconds: number, why: string): string {
  const name = `${operation.kind} ${operation.id}`
  return operation.state === 'paused'
    ? `${name} is paused: ${why}`
    : `${name} is ${operation.state} and has made no progress for ${formatDuration(Math.round(seconds))}: ${why}`
}

/** Ends a command without a terminal. The operation keeps its state. */
export function waitingError(operation: Operation, seconds: number, why: string): CliError {
  return new CliError(
    ExitCode.waiting,
    operation.state === 'paused' ? 'paused' : 'waiting',
    describeWait(operation, seconds, why),
    [...waitAdvice(operation), ...(operation.state === 'paused' ? [] : ['To wait longer: --wait-timeout'])],
  )
}
