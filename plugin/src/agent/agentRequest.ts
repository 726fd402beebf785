import { getBackendSrv } from '@grafana/runtime'
import type { AccessLevel } from '@sti-rollout/agent/contract'
import { firstValueFrom } from 'rxjs'
import type { AgentDataSource } from './agentDataSources'
import { toAgentError } from './AgentError'

/** How long an agent may take to answer a question. A page with ten agents must not wait for the one that is gone. */
export const READ_TIMEOUT_MS = 3_000
/** How long it may take to accept an operation or to count a preview. */
export const ACTION_TIMEOUT_MS = 15_000

export interface AgentRequest {
  readonly level: AccessLevel
  readonly method?: 'GET' | 'POST' | 'PATCH'
  /** The agent's path, from `/v1` on. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** `text` leaves the answer as it came. */
  readonly responseType?: 'json' | 'text'
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Grafana's address for a path of this agent: the route adds that level's token, and refuses a role below it. */
export function proxyPath(agent: AgentDataSource, level: AccessLevel, path: string): string {
  return `/api/datasources/proxy/uid/${encodeURIComponent(agent.uid)}/as/${level}${path}`
}

/** Asks an agent through Grafana's proxy. @throws AgentError */
export async function sendAgentRequest<T>(agent: AgentDataSource, call: AgentRequest): Promise<T> {
  const { level, method = 'GET', path, body, headers, signal } = call
  const { timeoutMs: limit = method === 'GET' ? READ_TIMEOUT_MS : ACTION_TIMEOUT_MS, responseType } = call
  const abortController = new AbortController()
  const timeout = setTimeout(() => abortController.abort(), limit)
  const abort = () => abortController.abort()
  signal?.addEventListener('abort', abort)
  try {
    const answer = await firstValueFrom(
      getBackendSrv().fetch<T>({
        url: proxyPath(agent, level, path),
        method,
        data: body,
        headers,
        responseType,
        abortSignal: abortController.signal,
        showErrorAlert: false,
        showSuccessAlert: false,
      }),
    )
    return answer.data
  } catch (thrown) {
    throw toAgentError(abortController.signal.aborted ? { cancelled: true } : thrown, agent.name, limit)
  } finally {
    clearTimeout(timeout)
    signal?.removeEventListener('abort', abort)
  }
}
