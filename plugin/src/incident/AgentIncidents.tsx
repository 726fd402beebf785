import { Alert, LoadingPlaceholder } from '@grafana/ui'
import React, { useState } from 'react'
import { missingRightReasons } from '../action/refusalReasons'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listIncidents } from '../agent/incidentCalls'
import { identifyAgent } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { formatTime } from '../formatTime'
import { type IncidentResponse, IncidentResponseConfirmation } from './IncidentResponseConfirmation'
import { IncidentCard } from './IncidentCard'
import { StartDrill } from './StartDrill'
import { UnseenInformation } from './UnseenInformation'
import { useCurrentTime } from './useCurrentTime'
import { sortIncidents } from './display'

interface Props {
  agent: AgentDataSource
  /** Null shows the incidents of every rollout and of the environment itself. */
  rollout: string | null
}

/** The incidents of one agent, open ones first, and since when the agent does not respond. */
export function AgentIncidents({ agent, rollout }: Props) {
  const [response, setResponse] = useState<IncidentResponse | null>(null)
  const incidentsPoll = usePolling(
    `${agent.uid}/${rollout ?? ''}`,
    async (signal) => {
      const [status, list] = await Promise.all([identifyAgent(agent, signal), listIncidents(agent, rollout, signal)])
      return { status, list }
    },
    (data) => (data?.list.some(({ state }) => state === 'open') ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS),
  )
  const { data, error, failingSince } = incidentsPoll
  const now = useCurrentTime(data?.list.some(({ state, severity }) => state === 'open' && severity === 'info') === true)
  return (
    <>
      {error && (
        <Alert severity="warning" title={`${agent.name} has not responded since ${formatTime(failingSince)}`}>
          {error.message}
        </Alert>
      )}
      {!data && !error && <LoadingPlaceholder text={`Loading from ${agent.name}…`} />}
      {data && rollout !== null && (
        <div>
          <StartDrill
            agent={agent}
            environment={{ name: data.status.environment, production: data.status.production }}
            rollout={rollout}
            refusalReasons={missingRightReasons(data.status, 'drill')}
            onStarted={incidentsPoll.refresh}
          />
        </div>
      )}
      {data?.list.length === 0 && (
        <p>{`No incidents in ${data.status.environment}${rollout === null ? '' : ` for ${rollout}`}.`}</p>
      )}
      {data && <UnseenInformation incidents={data.list} now={now} />}
      {data &&
        sortIncidents(data.list).map((incident) => (
          <IncidentCard
            key={incident.id}
            incident={incident}
            production={data.status.production}
            refusalReasons={missingRightReasons(data.status, 'acknowledge')}
            onRespond={setResponse}
          />
        ))}
      {response && data && (
        <IncidentResponseConfirmation
          response={response}
          environment={{ name: data.status.environment, production: data.status.production, agent }}
          onClose={() => setResponse(null)}
          onDone={() => {
            setResponse(null)
            incidentsPoll.refresh()
          }}
        />
      )}
    </>
  )
}
