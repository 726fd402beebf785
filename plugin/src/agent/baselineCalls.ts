import type { Baseline, BaselineComparison, BaselineImport, BaselineSummary } from '@sti-rollout/agent/contract'
import type { AgentDataSource } from './agentDataSources'
import { rolloutPath } from './rolloutCalls'
import { userLevel } from './userLevel'
import { ACTION_TIMEOUT_MS, sendAgentRequest } from './agentRequest'

const baselinesPath = (rollout: string, rest = '') => `${rolloutPath(rollout)}/baselines${rest}`

export const listBaselines = async (agent: AgentDataSource, rollout: string, signal?: AbortSignal) =>
  (
    await sendAgentRequest<{ baselines: BaselineSummary[] }>(agent, {
      level: 'viewer',
      path: baselinesPath(rollout),
      signal,
    })
  ).baselines

export const getBaseline = (agent: AgentDataSource, rollout: string, id: number) =>
  sendAgentRequest<Baseline>(agent, {
    level: 'viewer',
    path: baselinesPath(rollout, `/${id}`),
    timeoutMs: ACTION_TIMEOUT_MS,
  })

/** The agent may query the history in Prometheus, which takes longer than other reads. */
export const compareBaseline = (agent: AgentDataSource, rollout: string, id: number, signal?: AbortSignal) =>
  sendAgentRequest<BaselineComparison>(agent, {
    level: 'viewer',
    path: baselinesPath(rollout, `/${id}/comparison`),
    timeoutMs: ACTION_TIMEOUT_MS,
    signal,
  })

export const importBaseline = (agent: AgentDataSource, rollout: string, request: BaselineImport) =>
  sendAgentRequest<BaselineSummary>(agent, {
    level: userLevel(),
    method: 'POST',
    path: baselinesPath(rollout),
    body: request,
    bodyIsFile: true,
  })
