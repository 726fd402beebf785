import type {
  AttestationRequest,
  ColumnDrop,
  Promotion,
  PromotionGate,
  PromotionRequest,
  Readiness,
  ReportFormat,
} from '@sti-rollout/agent/contract'
import type { Agent } from './agents'
import { rolloutPath } from './calls'
import { ownLevel } from './level'
import { ACT_MS, request } from './request'

export interface Promotions {
  readonly gate: PromotionGate | null
  readonly promotions: Promotion[]
}

export const readiness = (agent: Agent, name: string, signal?: AbortSignal) =>
  request<Readiness>(agent, { level: ownLevel(), path: `${rolloutPath(name)}/readiness`, signal })

export const columnDrop = (agent: Agent, name: string, signal?: AbortSignal) =>
  request<ColumnDrop>(agent, { level: 'viewer', path: `${rolloutPath(name)}/column-drop`, signal })

export const attest = (agent: Agent, name: string, wanted: AttestationRequest) =>
  request<Readiness>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/attestations`,
    body: wanted,
  })

export const promotions = (agent: Agent, name: string, signal?: AbortSignal) =>
  request<Promotions>(agent, { level: 'viewer', path: `${rolloutPath(name)}/promotions`, signal })

export const promote = (agent: Agent, name: string, wanted: PromotionRequest) =>
  request<Promotions>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(name)}/promotions`,
    body: wanted,
  })

/** The report as it is to be kept, byte for byte. */
export const report = (agent: Agent, name: string, format: ReportFormat) =>
  request<string>(agent, {
    level: ownLevel(),
    path: `${rolloutPath(name)}/report?format=${format}`,
    responseType: 'text',
    limit: ACT_MS,
  })
