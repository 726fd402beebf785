import { getBackendSrv } from '@grafana/runtime'
import type { Level } from '@sti-rollout/agent/contract'
import { firstValueFrom } from 'rxjs'
import type { Agent } from './agents'
import { toAgentError } from './AgentError'

/** How long an agent may take to answer a question. A page with ten agents must not wait for the one that is gone. */
export const QUESTION_MS = 3_000
/** How long it may take to accept an operation or to count a preview. */
export const ACT_MS = 15_000

export interface Call {
  readonly level: Level
  readonly method?: 'GET' | 'POST' | 'PATCH'
  /** The agent's path, from `/v1` on. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** `text` leaves the answer as it came. */
  readonly responseType?: 'json' | 'text'
  readonly limit?: number
  readonly signal?: AbortSignal
}

/** Grafana's address for a path of this agent: the route adds that level's token, and refuses a role below it. */
export function proxied(agent: Agent, level: Level, path: string): string {
  return `/api/datasources/proxy/uid/${encodeURIComponent(agent.uid)}/as/${level}${path}`
}

/** Asks an agent through Grafana's proxy. @throws AgentError */
export async function request<T>(agent: Agent, call: Call): Promise<T> {
  const { level, method = 'GET', path, body, headers, signal } = call
  const { limit = method === 'GET' ? QUESTION_MS : ACT_MS, responseType } = call
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), limit)
  const leave = () => timer.abort()
  signal?.addEventListener('abort', leave)
  try {
    const answer = await firstValueFrom(
      getBackendSrv().fetch<T>({
        url: proxied(agent, level, path),
        method,
        data: body,
        headers,
        responseType,
        abortSignal: timer.signal,
        showErrorAlert: false,
        showSuccessAlert: false,
      }),
    )
    return answer.data
  } catch (thrown) {
    throw toAgentError(timer.signal.aborted ? { cancelled: true } : thrown, agent.name, limit)
  } finally {
    clearTimeout(timeout)
    signal?.removeEventListener('abort', leave)
  }
}
