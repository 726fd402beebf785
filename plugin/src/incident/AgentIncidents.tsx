import { LoadingPlaceholder } from '@grafana/ui'
import React from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listIncidents } from '../agent/incidentCalls'
import { identifyAgent } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { AgentOutage } from '../rollout/AgentOutage'
import { IncidentList } from './IncidentList'
import { isUnseen, UnseenInformation } from './UnseenInformation'
import { useCurrentTime } from './useCurrentTime'

/** The incidents of every rollout of one agent, open ones first, and since when the agent does not respond. */
export function AgentIncidents({ agent }: { agent: AgentDataSource }) {
  const { data, error, failingSince, refresh } = usePolling(
    agent.uid,
    async (signal) => {
      const [status, list] = await Promise.all([identifyAgent(agent, signal), listIncidents(agent, signal)])
      return { status, list }
    },
    (found) => (found?.list.some(({ state }) => state === 'open') ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS),
  )
  const now = useCurrentTime(data?.list.some(isUnseen) === true)
  return (
    <>
      {error && (
        <AgentOutage
          agent={agent}
          error={error}
          failingSince={failingSince}
          what="incidents"
          hasAnswer={data !== null}
        />
      )}
      {!data && !error && <LoadingPlaceholder text={`Loading from ${agent.name}…`} />}
      {data?.list.length === 0 && <p>{`No incidents in ${data.status.environment}.`}</p>}
      {data && <UnseenInformation incidents={data.list} now={now} />}
      {data && (
        <IncidentList
          incidents={data.list}
          environment={{
            name: data.status.environment,
            production: data.status.production,
            agent,
            status: data.status,
          }}
          context={null}
          refresh={refresh}
        />
      )}
    </>
  )
}
