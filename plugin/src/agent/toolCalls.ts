import type {
  AcceptanceRequest,
  Acceptances,
  DrillRequest,
  FileCheck,
  GeneratedProvisioning,
  Incident,
  ReportVerification,
} from '@sti-rollout/agent/contract'
import type { AgentDataSource } from './agentDataSources'
import { rolloutPath } from './rolloutCalls'
import { userLevel } from './userLevel'
import { sendAgentRequest } from './agentRequest'

const post = <T>(agent: AgentDataSource, path: string, body: unknown, bodyIsFile = false) =>
  sendAgentRequest<T>(agent, { level: userLevel(), method: 'POST', path, body, bodyIsFile })

/** The report as it was downloaded. */
export const verifyReport = (agent: AgentDataSource, report: unknown) =>
  post<ReportVerification>(agent, '/v1/files/report', report, true)

export const checkRolloutFile = (agent: AgentDataSource, name: string, text: string) =>
  post<FileCheck>(agent, '/v1/files/rollout', { name, text }, true)

export const generateProvisioning = (agent: AgentDataSource, text: string) =>
  post<GeneratedProvisioning>(agent, '/v1/files/provisioning', { text }, true)

export const adoptState = (agent: AgentDataSource, environment: string, reason: string) =>
  post<{ adopted: true }>(agent, '/v1/agent/adopt', { environment, reason })

export const startDrill = (agent: AgentDataSource, rollout: string, request: DrillRequest) =>
  post<Incident>(agent, `${rolloutPath(rollout)}/drill`, request)

export const listAcceptances = (agent: AgentDataSource, rollout: string, signal?: AbortSignal) =>
  sendAgentRequest<Acceptances>(agent, { level: 'viewer', path: `${rolloutPath(rollout)}/acceptances`, signal })

export const acceptSubjects = (agent: AgentDataSource, rollout: string, request: AcceptanceRequest) =>
  post<Acceptances>(agent, `${rolloutPath(rollout)}/acceptances`, request)
