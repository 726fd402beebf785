import { Badge, Spinner } from '@grafana/ui'
import React from 'react'
import type { Agent } from '../agent/agents'
import type { Polled } from '../agent/usePolled'
import { clock } from '../words/numbers'

interface Props {
  agent: Agent
  asked: Polled<unknown>
  columns: number
}

/** The row of an agent that has not answered yet, or that is away and since when. */
export function AgentAnswer({ agent, asked: { data, error, failingSince }, columns }: Props) {
  if (data && !error) return null
  return (
    <tr>
      <td colSpan={columns}>
        {error ? (
          <>
            <Badge color="red" icon="exclamation-triangle" text={agent.name} />{' '}
            {`No answer since ${clock(failingSince)}. ${error.message}`}
          </>
        ) : (
          <>
            <Spinner inline /> Asking {agent.name}…
          </>
        )}
      </td>
    </tr>
  )
}
