import type {
  AttestationRequest,
  ColumnDrop,
  Promotion,
  PromotionGate,
  PromotionRequest,
  Readiness,
  ReportFormat,
} from '@sti-rollout/agent/contract'
import type { AgentDataSource } from './agentDataSources'
import { rolloutPath } from './rolloutCalls'
import { userLevel } from './userLevel'
import { ACTION_TIMEOUT_MS, sendAgentRequest } from './agentRequest'

export interface PromotionHistory {
  readonly gate: PromotionGate | null
  readonly promotions: Promotion[]
}

export const getReadiness = (agent: AgentDataSource, name: string, signal?: AbortSignal) =>
  sendAgentRequest<Readiness>(agent, { level: userLevel(), path: `${rolloutPath(name)}/readiness`, signal })

export const getColumnDrop = (agent: AgentDataSource, name: string, signal?: AbortSignal) =>
  sendAgentRequest<ColumnDrop>(agent, { level: 'viewer', path: `${rolloutPath(name)}/column-drop`, signal })

export const signOffItem = (agent: AgentDataSource, name: string, request: AttestationRequest) =>
  sendAgentRequest<Readiness>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/attestations`,
    body: request,
  })

export const getPromotions = (agent: AgentDataSource, name: string, signal?: AbortSignal) =>
  sendAgentRequest<PromotionHistory>(agent, { level: 'viewer', path: `${rolloutPath(name)}/promotions`, signal })

export const submitPromotion = (agent: AgentDataSource, name: string, request: PromotionRequest) =>
  sendAgentRequest<PromotionHistory>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/promotions`,
    body: request,
    bodyIsFile: true,
  })

/** The report as text, unparsed, so that its signature stays valid. */
export const downloadReport = (agent: AgentDataSource, name: string, format: ReportFormat) =>
  sendAgentRequest<string>(agent, {
    level: userLevel(),
    path: `${rolloutPath(name)}/report?format=${format}`,
    responseType: 'text',
    timeoutMs: ACTION_TIMEOUT_MS,
  })
