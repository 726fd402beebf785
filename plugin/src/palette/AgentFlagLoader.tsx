import { Alert, LoadingPlaceholder } from '@grafana/ui'
import React, { useEffect } from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listRollouts } from '../agent/rolloutCalls'
import { loadEnvironment } from '../agent/useEnvironment'
import { ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { formatTime } from '../formatTime'
import type { FlagChoice } from './FlagChoiceRow'

interface Props {
  agent: AgentDataSource
  onLoaded: (uid: string, choices: readonly FlagChoice[]) => void
}

/** Loads the flags of one agent for the list; shows only that it is loading, or that the agent does not respond. */
export function AgentFlagLoader({ agent, onLoaded }: Props) {
  const { data, error, failingSince } = usePolling(
    agent.uid,
    async (signal): Promise<FlagChoice[]> => {
      const [environment, list] = await Promise.all([loadEnvironment(agent, signal), listRollouts(agent, signal)])
      return list.map((summary) => ({ environment, summary }))
    },
    () => ACTIVE_POLL_INTERVAL_MS,
  )
  useEffect(() => {
    if (data) onLoaded(agent.uid, data)
  }, [agent.uid, data, onLoaded])

  if (error) {
    return (
      <Alert severity="warning" title={`${agent.name} has not responded since ${formatTime(failingSince)}`}>
        {error.message} {`To turn the flag off now, run “sti rollback flag”, or see the runbook.`}
      </Alert>
    )
  }
  return data ? null : <LoadingPlaceholder text={`Loading from ${agent.name}…`} />
}
