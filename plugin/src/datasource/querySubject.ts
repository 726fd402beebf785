import type { DataFrame } from '@grafana/data'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listIncidents } from '../agent/incidentCalls'
import { getRollout, listFailedRows, listRolloutEvents, listRollouts } from '../agent/rolloutCalls'
import { createAnnotationAnswers } from './annotationAnswers'
import { toAnnotations, toEventTable } from './eventFrames'
import {
  type OfRollout,
  toCheckTable,
  toFailedRowTable,
  toIncidentAnnotations,
  toIncidentTable,
  toOperationTable,
} from './frames'
import type { Subject } from './types'

export interface Selection {
  /** Empty: every rollout of the agent. */
  readonly rollout: string
  readonly refId: string
  readonly from: Date
  readonly to: Date
  readonly isAnnotation: boolean
  readonly revision?: string | undefined
}

const annotationAnswers = createAnnotationAnswers()

/** The values of a subject; those with a time of their own only within the range. */
export async function querySubject(
  agent: AgentDataSource,
  subject: Subject,
  { rollout, refId, from, to, isAnnotation, revision = '' }: Selection,
): Promise<DataFrame> {
  const read = <T>(load: () => Promise<T>): Promise<T> =>
    isAnnotation ? annotationAnswers.read(JSON.stringify([agent.uid, subject, rollout, revision]), from, load) : load()
  const within = (start: string, end: string | null = start) =>
    Date.parse(start) <= to.getTime() && (end === null || Date.parse(end) >= from.getTime())
  switch (subject) {
    case 'events': {
      const lists = await read(() => eachRollout(agent, rollout, (name) => listRolloutEvents(agent, name, from)))
      const events = lists.flatMap(({ value }) => value.filter(({ at }) => within(at)))
      return isAnnotation ? toAnnotations(events) : toEventTable(events, refId)
    }
    case 'incidents': {
      const incidents = (await read(() => listIncidents(agent))).filter(
        (incident) =>
          // An incident of the whole environment concerns every rollout.
          (rollout === '' || incident.rollout === null || incident.rollout === rollout) &&
          within(incident.openedAt, incident.closedAt),
      )
      return isAnnotation ? toIncidentAnnotations(incidents, Date.now()) : toIncidentTable(incidents, refId)
    }
    case 'operations': {
      const details = await eachRollout(agent, rollout, (name) => getRollout(agent, name))
      const operations = details.flatMap(({ value }) => value.operations)
      return toOperationTable(
        operations.filter(({ createdAt, endedAt }) => within(createdAt, endedAt)),
        refId,
      )
    }
    case 'checks': {
      const details = await eachRollout(agent, rollout, (name) => getRollout(agent, name))
      return toCheckTable(
        details.flatMap(({ rollout: name, value: { validation } }) =>
          (validation?.checks ?? []).map((value) => ({ rollout: name, value })),
        ),
        refId,
      )
    }
    case 'failed-rows': {
      const lists = await eachRollout(agent, rollout, (name) => listFailedRows(agent, name))
      return toFailedRowTable(
        lists.flatMap(({ rollout: name, value: { failedRows } }) =>
          failedRows.map((value) => ({ rollout: name, value })),
        ),
        refId,
      )
    }
  }
}

/** What the agent answers for one rollout, or for each. */
async function eachRollout<T>(
  agent: AgentDataSource,
  rollout: string,
  read: (name: string) => Promise<T>,
): Promise<Array<OfRollout<T>>> {
  const names = rollout === '' ? (await listRollouts(agent)).map(({ rollout: name }) => name) : [rollout]
  return Promise.all(names.map(async (name) => ({ rollout: name, value: await read(name) })))
}
