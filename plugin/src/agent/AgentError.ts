import type { Problem } from '@sti-rollout/agent/contract'

/** Where a request ended: at Grafana, on the way to the agent, at the agent's door, or in the agent. */
export type FailedHop = 'grafana' | 'network' | 'token' | 'agent'

/** A request that did not succeed, in words a person can act on. */
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

  /** Nobody answered for the agent: it may be gone, and whether it acted is unknown. */
  get unreachable(): boolean {
    return this.hop === 'network'
  }
}

/** What Grafana's client throws for an answer that is not 2xx. */
interface FetchFailure {
  status?: number
  statusText?: string
  data?: unknown
  cancelled?: boolean
  type?: string
}

/** Turns what Grafana's client threw into words. `limit` is how many milliseconds it was given. */
export function toAgentError(thrown: unknown, agent: string, timeoutMs: number): AgentError {
  if (thrown instanceof AgentError) return thrown
  const { status = 0, statusText = '', cancelled, type, ...rest } = (thrown ?? {}) as FetchFailure
  const data = parseBody(rest.data)
  if (cancelled || type === 'cancelled' || (thrown as { name?: string } | null)?.name === 'AbortError') {
    return new AgentError(`${agent} did not answer within ${timeoutMs / 1000} s.`, 'network', 504, 'timeout')
  }
  if (isProblem(data)) return new AgentError(data.detail || data.title, 'agent', status, data.code, data.reasons ?? [])
  const message = messageOf(data) || statusText
  if (status === 502 || status === 504) {
    const unreachableMessage = `Grafana cannot reach ${agent}: check that it runs, and the URL of its data source.`
    return new AgentError(unreachableMessage, 'network', status, 'unreachable')
  }
  if (status === 403 && message.includes('plugin proxy route access denied')) {
    return new AgentError(
      'Grafana refuses this: it needs a higher role in this organisation.',
      'grafana',
      403,
      'forbidden',
    )
  }
  if (status === 401 || (status === 400 && message.includes('Authentication to data source failed'))) {
    return new AgentError(`${agent} refuses the token of its data source.`, 'token', status, 'token')
  }
  if (status === 404) {
    const noRouteMessage = `Grafana has no way to ${agent}: its data source is gone, or its plug-in is not allowed to load.`
    return new AgentError(noRouteMessage, 'grafana', 404, 'no-route')
  }
  if (status === 0) return new AgentError('Grafana itself does not answer.', 'grafana', 0, 'grafana-away')
  return new AgentError(`${agent} answered ${status}${message ? `: ${message}` : ''}.`, 'agent', status)
}

/** Of a question for text the refusal is text as well. */
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
