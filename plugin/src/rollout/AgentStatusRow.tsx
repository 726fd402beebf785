import { Badge, Spinner } from '@grafana/ui'
import React from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import type { PollingResult } from '../agent/usePolling'
import { formatTime } from '../formatTime'

interface Props {
  agent: AgentDataSource
  poll: PollingResult<unknown>
  columns: number
}

/** The row of an agent that is loading or does not respond, and since when. */
export function AgentStatusRow({ agent, poll: { data, error, failingSince }, columns }: Props) {
  if (data && !error) return null
  return (
    <tr>
      <td colSpan={columns}>
        {error ? (
          <>
            <Badge color="red" icon="exclamation-triangle" text={agent.name} />{' '}
            {`No response since ${formatTime(failingSince)}. ${error.message}`}
          </>
        ) : (
          <>
            <Spinner inline /> Loading from {agent.name}…
          </>
        )}
      </td>
    </tr>
  )
}
