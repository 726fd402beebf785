import { Alert, LoadingPlaceholder } from '@grafana/ui'
import React, { useState } from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listIncidents } from '../agent/incidentCalls'
import { identifyAgent } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { formatTime } from '../formatTime'
import { type IncidentResponse, IncidentResponseConfirmation } from './IncidentResponseConfirmation'
import { IncidentCard } from './IncidentCard'
import { sortIncidents } from './display'
import { answerRefusalReasons } from './answerRefusal'

interface Props {
  agent: AgentDataSource
  /** Null: of every rollout, and of the environment as a whole. */
  rollout: string | null
}

/** The incidents that one agent knows, those that wait for somebody first; while it is away, since when. */
export function AgentIncidents({ agent, rollout }: Props) {
  const [answer, setAnswer] = useState<IncidentResponse | null>(null)
  const incidentsPoll = usePolling(
    `${agent.uid}/${rollout ?? ''}`,
    async (signal) => {
      const [status, list] = await Promise.all([identifyAgent(agent, signal), listIncidents(agent, rollout, signal)])
      return { status, list }
    },
    (data) => (data?.list.some(({ state }) => state === 'open') ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS),
  )
  const { data, error, failingSince } = incidentsPoll
  return (
    <>
      {error && (
        <Alert severity="warning" title={`${agent.name} does not answer since ${formatTime(failingSince)}`}>
          {error.message}
        </Alert>
      )}
      {!data && !error && <LoadingPlaceholder text={`Asking ${agent.name}…`} />}
      {data?.list.length === 0 && (
        <p>{`${data.status.environment}: no incident${rollout === null ? '' : ` of ${rollout}`} yet.`}</p>
      )}
      {data &&
        sortIncidents(data.list).map((incident) => (
          <IncidentCard
            key={incident.id}
            incident={incident}
            production={data.status.production}
            refusalReasons={answerRefusalReasons(data.status)}
            onRespond={setAnswer}
          />
        ))}
      {answer && data && (
        <IncidentResponseConfirmation
          response={answer}
          environment={{ name: data.status.environment, production: data.status.production, agent }}
          onClose={() => setAnswer(null)}
          onDone={() => {
            setAnswer(null)
            incidentsPoll.refresh()
          }}
        />
      )}
    </>
  )
}
