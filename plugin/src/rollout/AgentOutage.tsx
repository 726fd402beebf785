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
        Clients of the flag that get no response use the default of their code, which is off, so users read the legacy
        columns. Automatic rollback does not work while no agent of the environment runs. Operations pause and continue
        with the next agent.
      </p>
      <p>Restart the agent. To keep the flag off after the restart, follow the runbook first.</p>
      <LinkButton size="sm" href={withAppSubUrl(`${routes.runbook()}#emergency-turn-the-flag-off`)}>
        Runbook: turn the flag off without the agent
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
