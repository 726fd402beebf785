import type {
  AccessLevel,
  AgentStatus,
  FailedRow,
  Group,
  Operation,
  OperationEvent,
  OperationPatch,
  OperationRequest,
  OperationPreview,
  RolloutDetail,
  RolloutSummary,
  Validation,
} from '@sti-rollout/agent/contract'
import type { AgentDataSource } from './agentDataSources'
import { AgentError } from './AgentError'
import { userLevel } from './userLevel'
import { ACTION_TIMEOUT_MS, sendAgentRequest } from './agentRequest'

export const rolloutPath = (rollout: string) => `/v1/rollouts/${encodeURIComponent(rollout)}`

/** A read whose answer depends on the person's rights uses the person's own level; every other read uses viewer. */

/** @throws AgentError also if something else than an agent responds at the address of the data source */
export async function getAgentStatus(
  agent: AgentDataSource,
  signal?: AbortSignal,
  level: AccessLevel = userLevel(),
): Promise<AgentStatus> {
  const answer = await sendAgentRequest<unknown>(agent, { level, path: '/v1/agent', signal })
  if (isAgentStatus(answer)) return answer
  throw new AgentError(
    `${agent.name} responds, but not as an STI agent. Check the URL of its data source.`,
    'network',
    200,
    'not-an-agent',
  )
}

function isAgentStatus(answer: unknown): answer is AgentStatus {
  if (typeof answer !== 'object' || answer === null) return false
  const { contract, environment, you } = answer as Partial<AgentStatus>
  return typeof contract === 'string' && typeof environment === 'string' && typeof you === 'object'
}

/** A page that polls accepts what the agent read for another page within the last second; each action makes it read again. */
const POLL_HEADERS = { 'cache-control': 'max-age=1' }

export const listRollouts = async (agent: AgentDataSource, signal?: AbortSignal, headers?: Record<string, string>) =>
  (
    await sendAgentRequest<{ rollouts: RolloutSummary[] }>(agent, {
      level: 'viewer',
      path: '/v1/rollouts',
      signal,
      headers,
    })
  ).rollouts

export const pollRollouts = (agent: AgentDataSource, signal: AbortSignal) => listRollouts(agent, signal, POLL_HEADERS)

export const getRollout = (
  agent: AgentDataSource,
  name: string,
  signal?: AbortSignal,
  headers?: Record<string, string>,
) => sendAgentRequest<RolloutDetail>(agent, { level: userLevel(), path: rolloutPath(name), signal, headers })

export const pollRollout = (agent: AgentDataSource, name: string, signal: AbortSignal) =>
  getRollout(agent, name, signal, POLL_HEADERS)

/** A rollout with several tables, with at most `limit` of them. */
export const getTables = (agent: AgentDataSource, name: string, limit: number, signal?: AbortSignal) =>
  sendAgentRequest<Group>(agent, { level: userLevel(), path: `${rolloutPath(name)}/tables?limit=${limit}`, signal })

export const getOperation = (agent: AgentDataSource, id: number, signal?: AbortSignal) =>
  sendAgentRequest<Operation>(agent, { level: 'viewer', path: `/v1/operations/${id}`, signal })

export const getValidation = (agent: AgentDataSource, name: string, id: number, signal?: AbortSignal) =>
  sendAgentRequest<Validation>(agent, { level: 'viewer', path: `${rolloutPath(name)}/validations/${id}`, signal })

export const listFailedRows = (agent: AgentDataSource, name: string, signal?: AbortSignal) =>
  sendAgentRequest<{ failedRows: FailedRow[]; total: number }>(agent, {
    level: 'viewer',
    path: `${rolloutPath(name)}/failed-rows`,
    signal,
  })

export const listRolloutEvents = async (agent: AgentDataSource, name: string, since: Date) =>
  (
    await sendAgentRequest<{ events: OperationEvent[] }>(agent, {
      level: 'viewer',
      path: `${rolloutPath(name)}/events?since=${encodeURIComponent(since.toISOString())}`,
    })
  ).events

/** An Idempotency-Key. `crypto.randomUUID` is not available if Grafana is served without TLS. */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export const previewOperation = (
  agent: AgentDataSource,
  name: string,
  request: OperationRequest,
  signal?: AbortSignal,
) =>
  sendAgentRequest<OperationPreview>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/operations?dryRun=true`,
    body: request,
    signal,
  })

export const startOperation = (
  agent: AgentDataSource,
  name: string,
  request: OperationRequest,
  /** The same key makes a second click, or a retry after a timeout, the same operation. */
  key: string,
  timeoutMs = ACTION_TIMEOUT_MS,
) =>
  sendAgentRequest<Operation>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/operations`,
    body: request,
    headers: { 'Idempotency-Key': key },
    timeoutMs,
  })

export const controlOperation = (
  agent: AgentDataSource,
  id: number,
  verb: 'pause' | 'resume' | 'cancel',
  reason: string | undefined,
) =>
  sendAgentRequest<Operation>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `/v1/operations/${id}/${verb}`,
    body: reason ? { reason } : {},
  })

export const tuneOperation = (agent: AgentDataSource, id: number, patch: OperationPatch) =>
  sendAgentRequest<Operation>(agent, { level: userLevel(), method: 'PATCH', path: `/v1/operations/${id}`, body: patch })

export const acceptFailedRows = (agent: AgentDataSource, name: string, keys: string[][], reason: string) =>
  sendAgentRequest<unknown>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/failed-rows/accept`,
    body: { keys, reason },
  })

/** `clients` null: every silent client that is stale. */
export const acceptFlagClients = (
  agent: AgentDataSource,
  name: string,
  clients: readonly string[] | null,
  reason: string,
) =>
  sendAgentRequest<unknown>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/flag-clients/accept`,
    body: clients === null ? { all: true, reason } : { clients, reason },
  })
