import type { Problem } from '@sti-rollout/agent/contract'
import { toLocalTimes } from './localTimes'
import { toVisibleTexts } from './visibleTexts'

/** Where a request failed: in Grafana, between Grafana and the agent, at the agent's token check, or in the agent. */
export type FailedHop = 'grafana' | 'network' | 'token' | 'agent'

/** The code of the error of an operation that was started and did not succeed. */
export const OPERATION_NOT_SUCCEEDED = 'operation-not-succeeded'

/** A failed request, with a message that a person can act on. */
export class AgentError extends Error {
  readonly hop: FailedHop
  readonly status: number
  readonly code: string | null
  readonly reasons: string[]

  constructor(message: string, hop: FailedHop, status: number, code: string | null = null, reasons: string[] = []) {
    super(message)
    this.name = 'AgentError'
    this.hop = hop
    this.status = status
    this.code = code
    this.reasons = reasons
  }

  /** The agent did not respond, so it is unknown if it acted. */
  get unreachable(): boolean {
    return this.hop === 'network'
  }
}

/** Grafana's client throws this for a response that is not 2xx. */
interface FetchFailure {
  status?: number
  statusText?: string
  data?: unknown
  cancelled?: boolean
  type?: string
}

/** Turns an error of Grafana's client into an AgentError. `timeoutMs` is the timeout that the request had. */
export function toAgentError(thrown: unknown, agent: string, timeoutMs: number): AgentError {
  if (thrown instanceof AgentError) return thrown
  const { status = 0, statusText = '', cancelled, type, ...rest } = (thrown ?? {}) as FetchFailure
  const data = parseBody(rest.data)
  if (cancelled || type === 'cancelled' || (thrown as { name?: string } | null)?.name === 'AbortError') {
    return new AgentError(`${agent} did not respond within ${timeoutMs / 1000} s.`, 'network', 504, 'timeout')
  }
  if (isProblem(data)) {
    const { detail, title, code, reasons = [] } = toLocalTimes(toVisibleTexts(data))
    return new AgentError(detail || title, 'agent', status, code, reasons)
  }
  const message = toVisibleTexts(messageOf(data) || statusText)
  if (status === 502 || status === 504) {
    const unreachableMessage = `Grafana cannot reach ${agent}. Check that the agent is running and that the URL of its data source is correct.`
    return new AgentError(unreachableMessage, 'network', status, 'unreachable')
  }
  if (status === 403 && message.includes('plugin proxy route access denied')) {
    return new AgentError(
      'Grafana refused the request: it requires a higher role in this organization.',
      'grafana',
      403,
      'forbidden',
    )
  }
  if (status === 401 || (status === 400 && message.includes('Authentication to data source failed'))) {
    return new AgentError(`${agent} refused the token of its data source.`, 'token', status, 'token')
  }
  if (status === 404 && !/plugin|data ?source/i.test(message))
    return new AgentError(
      `${agent} responds with 404, so it is not an STI agent. Check the URL of its data source.`,
      'network',
      404,
      'not-an-agent',
    )
  if (status === 404) {
    const noRouteMessage = `Grafana has no route to ${agent}: its data source was removed, or its plugin is not allowed to load.`
    return new AgentError(noRouteMessage, 'grafana', 404, 'no-route')
  }
  if (status === 0) return new AgentError('Grafana does not respond.', 'grafana', 0, 'grafana-unavailable')
  return new AgentError(`${agent} responded with ${status}${message ? `: ${message}` : ''}.`, 'agent', status)
}

/** A request for text gets its refusal as text, too. */
function parseBody(data: unknown): unknown {
  if (typeof data !== 'string' || !data.startsWith('{')) return data
  try {
    return JSON.parse(data)
  } catch {
    return data
  }
}

function isProblem(data: unknown): data is Problem {
  return typeof data === 'object' && data !== null && 'code' in data && 'detail' in data
}

function messageOf(data: unknown): string {
  if (typeof data === 'string') return data.slice(0, 200)
  const message = (data as { message?: unknown } | null | undefined)?.message
  return typeof message === 'string' ? message : ''
}
