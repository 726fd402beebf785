import type { AutomaticRollback, AutomaticRollbackRequest, Incident } from '@sti-rollout/agent/contract'
import type { AgentDataSource } from './agentDataSources'
import { rolloutPath } from './rolloutCalls'
import { userLevel } from './userLevel'
import { sendAgentRequest } from './agentRequest'

/** Open ones first, the newest first; of one rollout, or of all that this agent has. */
export const listIncidents = async (agent: AgentDataSource, rollout: string | null, signal?: AbortSignal) =>
  (
    await sendAgentRequest<{ incidents: Incident[] }>(agent, {
      level: 'viewer',
      path: `/v1/incidents${rollout === null ? '' : `?rollout=${encodeURIComponent(rollout)}`}`,
      signal,
    })
  ).incidents

/** Somebody has seen it: its clock stands, and nobody else is called. */
export const acknowledgeIncident = (agent: AgentDataSource, id: number, note: string) =>
  postIncidentResponse(agent, id, 'acknowledge', note)

/** A person says that it is over. */
export const resolveIncident = (agent: AgentDataSource, id: number, note: string) =>
  postIncidentResponse(agent, id, 'resolve', note)

const postIncidentResponse = (agent: AgentDataSource, id: number, verb: 'acknowledge' | 'resolve', note: string) =>
  sendAgentRequest<Incident>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `/v1/incidents/${id}/${verb}`,
    body: note ? { note } : {},
  })

/** Arms automatic rollback, or holds it until a time. */
export const setAutomaticRollback = (agent: AgentDataSource, rollout: string, wanted: AutomaticRollbackRequest) =>
  sendAgentRequest<AutomaticRollback>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(rollout)}/automatic-rollback`,
    body: wanted,
  })
