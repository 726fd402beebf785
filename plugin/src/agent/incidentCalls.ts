import type { AutomaticRollback, AutomaticRollbackRequest, Incident } from '@sti-rollout/agent/contract'
import type { AgentDataSource } from './agentDataSources'
import { rolloutPath } from './rolloutCalls'
import { userLevel } from './userLevel'
import { sendAgentRequest } from './agentRequest'

/** The incidents of one rollout, or of every rollout of the agent: open ones first, newest first. */
export const listIncidents = async (agent: AgentDataSource, signal?: AbortSignal) =>
  (
    await sendAgentRequest<{ incidents: Incident[] }>(agent, {
      level: 'viewer',
      path: '/v1/incidents',
      signal,
    })
  ).incidents

/** Stops the timer of the incident, so that nobody else is paged. */
export const acknowledgeIncident = (agent: AgentDataSource, id: number, note: string) =>
  postIncidentResponse(agent, id, 'acknowledge', note)

/** Closes the incident. */
export const resolveIncident = (agent: AgentDataSource, id: number, note: string) =>
  postIncidentResponse(agent, id, 'resolve', note)

const postIncidentResponse = (agent: AgentDataSource, id: number, verb: 'acknowledge' | 'resolve', note: string) =>
  sendAgentRequest<Incident>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `/v1/incidents/${id}/${verb}`,
    body: note ? { note } : {},
  })

/** Arms automatic rollback, or pauses it until a time. */
export const setAutomaticRollback = (agent: AgentDataSource, rollout: string, request: AutomaticRollbackRequest) =>
  sendAgentRequest<AutomaticRollback>(agent, {
    level: userLevel(),
    method: 'POST',
    path: `${rolloutPath(rollout)}/automatic-rollback`,
    body: request,
  })
