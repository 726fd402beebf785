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

/** Asks one agent for its flags and hands them up; shows only that it is asked, or away. */
export function AgentFlagLoader({ agent, onLoaded: onFound }: Props) {
  const { data, error, failingSince } = usePolling(
    agent.uid,
    async (signal): Promise<FlagChoice[]> => {
      const [environment, list] = await Promise.all([loadEnvironment(agent, signal), listRollouts(agent, signal)])
      return list.map((summary) => ({ environment, summary }))
    },
    () => ACTIVE_POLL_INTERVAL_MS,
  )
  useEffect(() => {
    if (data) onFound(agent.uid, data)
  }, [agent.uid, data, onFound])

  if (error) {
    return (
      <Alert severity="warning" title={`${agent.name}: no answer since ${formatTime(failingSince)}`}>
        {error.message} {`If the application must be switched back now, use “sti rollback flag”, or see the runbook.`}
      </Alert>
    )
  }
  return data ? null : <LoadingPlaceholder text={`Asking ${agent.name}…`} />
}
