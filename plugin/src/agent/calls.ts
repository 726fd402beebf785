import type {
  AgentStatus,
  FailedRow,
  Operation,
  OperationEvent,
  OperationPatch,
  OperationRequest,
  Preview,
  RolloutDetail,
  RolloutSummary,
  Validation,
} from '@sti-rollout/agent/contract'
import type { Agent } from './agents'
import { ownLevel } from './level'
import { ACT_MS, request } from './request'

export const rolloutPath = (rollout: string) => `/v1/rollouts/${encodeURIComponent(rollout)}`

/** Questions. What a person may do is asked with their own level, all else as a viewer. */

export const status = (agent: Agent, signal?: AbortSignal) =>
  request<AgentStatus>(agent, { level: ownLevel(), path: '/v1/agent', signal })

export const rollouts = async (agent: Agent, signal?: AbortSignal) =>
  (await request<{ rollouts: RolloutSummary[] }>(agent, { level: 'viewer', path: '/v1/rollouts', signal })).rollouts

export const rollout = (agent: Agent, name: string, signal?: AbortSignal) =>
  request<RolloutDetail>(agent, { level: ownLevel(), path: rolloutPath(name), signal })

export const operation = (agent: Agent, id: number, signal?: AbortSignal) =>
  request<Operation>(agent, { level: 'viewer', path: `/v1/operations/${id}`, signal })

export const validation = (agent: Agent, name: string, id: number, signal?: AbortSignal) =>
  request<Validation>(agent, { level: 'viewer', path: `${rolloutPath(name)}/validations/${id}`, signal })

export const failedRows = (agent: Agent, name: string, signal?: AbortSignal) =>
  request<{ failedRows: FailedRow[]; total: number }>(agent, {
    level: 'viewer',
    path: `${rolloutPath(name)}/failed-rows`,
    signal,
  })

export const rolloutEvents = async (agent: Agent, name: string, since: Date) =>
  (
    await request<{ events: OperationEvent[] }>(agent, {
      level: 'viewer',
      path: `${rolloutPath(name)}/events?since=${encodeURIComponent(since.toISOString())}`,
    })
  ).events

/** Actions. The key makes a second click, or a retry after a time-out, the same operation. */

export const preview = (agent: Agent, name: string, wanted: OperationRequest, signal?: AbortSignal) =>
  request<Preview>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/operations?dryRun=true`,
    body: wanted,
    signal,
  })

export const start = (agent: Agent, name: string, wanted: OperationRequest, key: string, limit = ACT_MS) =>
  request<Operation>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/operations`,
    body: wanted,
    headers: { 'Idempotency-Key': key },
    limit,
  })

export const control = (agent: Agent, id: number, verb: 'pause' | 'resume' | 'cancel', reason: string | undefined) =>
  request<Operation>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `/v1/operations/${id}/${verb}`,
    body: reason ? { reason } : {},
  })

export const tune = (agent: Agent, id: number, patch: OperationPatch) =>
  request<Operation>(agent, { level: ownLevel(), method: 'PATCH', path: `/v1/operations/${id}`, body: patch })

export const retryFailedRows = (agent: Agent, name: string, environment: string, key: string) =>
  request<Operation>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/failed-rows/retry`,
    body: { environment },
    headers: { 'Idempotency-Key': key },
  })

export const acceptFailedRows = (agent: Agent, name: string, keys: string[][], reason: string) =>
  request<unknown>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/failed-rows/accept`,
    body: { keys, reason },
  })

export const acceptClient = (agent: Agent, name: string, client: string, reason: string) =>
  request<unknown>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/flag-clients/accept`,
    body: { client, reason },
  })
