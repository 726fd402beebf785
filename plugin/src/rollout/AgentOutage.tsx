import { Alert, LinkButton } from '@grafana/ui'
import React from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import type { AgentError } from '../agent/AgentError'
import { formatTime } from '../formatTime'
import { routes, withAppSubUrl } from '../routes'

/** What it means for users that no agent of an environment responds, and what to do. */
export function OutageMeaning() {
  return (
    <>
      <p>
        A client of the flag that gets no response uses the default of its code, which is off: it reads the legacy
        columns. Automatic rollback does not work, and operations wait until an agent of the environment runs.
      </p>
      <p>
        Restart the agent: the flag is then as it was before. If it must stay off, turn it off in the database first.
        The runbook describes both.
      </p>
      <LinkButton size="sm" href={withAppSubUrl(`${routes.runbook()}#stiagentdown`)}>
        Open the runbook: agent down
      </LinkButton>
    </>
  )
}

interface Props {
  agent: AgentDataSource
  error: AgentError
  failingSince: Date | null
  /** What is missing in the list because of it: “Its rollouts are not in this list.” */
  missing: string
}

/** An agent whose part of a list cannot be loaded. */
export function AgentOutage({ agent, error, failingSince, missing }: Props) {
  return (
    <Alert severity="warning" title={`${agent.name} has not responded since ${formatTime(failingSince)}`}>
      <p>{`${error.message} ${missing}`}</p>
      {error.unreachable && <OutageMeaning />}
    </Alert>
  )
}
