import type { AutomaticRollback, AutomaticRollbackRequest, Incident } from '@sti-rollout/agent/contract'
import type { Agent } from './agents'
import { rolloutPath } from './calls'
import { ownLevel } from './level'
import { request } from './request'

/** Open ones first, the newest first; of one rollout, or of all that this agent has. */
export const incidents = async (agent: Agent, rollout: string | null, signal?: AbortSignal) =>
  (
    await request<{ incidents: Incident[] }>(agent, {
      level: 'viewer',
      path: `/v1/incidents${rollout === null ? '' : `?rollout=${encodeURIComponent(rollout)}`}`,
      signal,
    })
  ).incidents

/** Somebody has seen it: its clock stands, and nobody else is called. */
export const acknowledge = (agent: Agent, id: number, note: string) => answer(agent, id, 'acknowledge', note)

/** A person says that it is over. */
export const resolve = (agent: Agent, id: number, note: string) => answer(agent, id, 'resolve', note)

const answer = (agent: Agent, id: number, verb: 'acknowledge' | 'resolve', note: string) =>
  request<Incident>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `/v1/incidents/${id}/${verb}`,
    body: note ? { note } : {},
  })

/** Arms automatic rollback, or holds it until a time. */
export const setAutomaticRollback = (agent: Agent, rollout: string, wanted: AutomaticRollbackRequest) =>
  request<AutomaticRollback>(agent, {
    level: ownLevel(),
    method: 'POST',
    path: `${rolloutPath(rollout)}/automatic-rollback`,
    body: wanted,
  })
