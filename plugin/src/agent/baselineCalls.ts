import type { Baseline, BaselineComparison, BaselineImport, BaselineSummary } from '@sti-rollout/agent/contract'
import type { Agent } from './agents'
import { rolloutPath } from './calls'
import { ownLevel } from './level'
import { ACT_MS, request } from './request'

const path = (rollout: string, rest = '') => `${rolloutPath(rollout)}/baselines${rest}`

export const baselines = async (agent: Agent, rollout: string, signal?: AbortSignal) =>
  (await request<{ baselines: BaselineSummary[] }>(agent, { level: 'viewer', path: path(rollout), signal })).baselines

export const baseline = (agent: Agent, rollout: string, id: number) =>
  request<Baseline>(agent, { level: 'viewer', path: path(rollout, `/${id}`), limit: ACT_MS })

/** Reads what Prometheus knows since, where the baseline did: that may take a while. */
export const compareBaseline = (agent: Agent, rollout: string, id: number, signal?: AbortSignal) =>
  request<BaselineComparison>(agent, {
    level: 'viewer',
    path: path(rollout, `/${id}/comparison`),
    limit: ACT_MS,
    signal,
  })

export const importBaseline = (agent: Agent, rollout: string, wanted: BaselineImport) =>
  request<BaselineSummary>(agent, { level: ownLevel(), method: 'POST', path: path(rollout), body: wanted })
