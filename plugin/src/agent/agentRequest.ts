import { getBackendSrv } from '@grafana/runtime'
import type { AccessLevel } from '@sti-rollout/agent/contract'
import { firstValueFrom } from 'rxjs'
import type { AgentDataSource } from './agentDataSources'
import { toAgentError } from './AgentError'
import { toLocalTimes } from './localTimes'
import { fromVisibleTexts, toVisibleTexts } from './visibleTexts'

/** The timeout of a read. A page with ten agents must not wait for an unavailable one. */
export const READ_TIMEOUT_MS = 3_000
/** The timeout of starting an operation, of a preview, and of slow reads. */
export const ACTION_TIMEOUT_MS = 15_000

export interface AgentRequest {
  readonly level: AccessLevel
  readonly method?: 'GET' | 'POST' | 'PATCH'
  /** The path at the agent, beginning with `/v1`. */
  readonly path: string
  readonly body?: unknown
  /** The body is a file that a person chose: its texts are sent as they are. */
  readonly bodyIsFile?: boolean
  readonly headers?: Record<string, string>
  /** `text` returns the body unparsed. */
  readonly responseType?: 'json' | 'text'
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** The path of Grafana's proxy to the agent: its route adds the token of the level and refuses lower roles. */
export function proxyPath(agent: AgentDataSource, level: AccessLevel, path: string): string {
  return `/api/datasources/proxy/uid/${encodeURIComponent(agent.uid)}/as/${level}${path}`
}

/** Sends a request to an agent through Grafana's proxy. @throws AgentError */
export async function sendAgentRequest<T>(agent: AgentDataSource, call: AgentRequest): Promise<T> {
  const { level, method = 'GET', path, body, bodyIsFile, headers, signal } = call
  const { timeoutMs = method === 'GET' ? READ_TIMEOUT_MS : ACTION_TIMEOUT_MS, responseType } = call
  const abortController = new AbortController()
  const timeout = setTimeout(() => abortController.abort(), timeoutMs)
  const abort = () => abortController.abort()
  signal?.addEventListener('abort', abort)
  try {
    const response = await firstValueFrom(
      getBackendSrv().fetch<T>({
        url: proxyPath(agent, level, path),
        method,
        data: bodyIsFile ? body : fromVisibleTexts(body),
        headers,
        responseType,
        abortSignal: abortController.signal,
        showErrorAlert: false,
        showSuccessAlert: false,
      }),
    )
    // A text is a report, which the agent has escaped for its format.
    return responseType === 'text' ? response.data : toLocalTimes(toVisibleTexts(response.data))
  } catch (thrown) {
    throw toAgentError(abortController.signal.aborted ? { cancelled: true } : thrown, agent.name, timeoutMs)
  } finally {
    clearTimeout(timeout)
    signal?.removeEventListener('abort', abort)
  }
}
