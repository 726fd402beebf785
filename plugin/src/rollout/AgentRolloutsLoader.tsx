import { Alert, LoadingPlaceholder } from '@grafana/ui'
import React, { useEffect } from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import { listRollouts } from '../agent/rolloutCalls'
import { identifyAgent } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { formatTime } from '../formatTime'
import type { AgentRollouts } from './rolloutRows'

interface Props {
  agent: AgentDataSource
  onLoaded: (uid: string, answer: AgentRollouts) => void
}

/** Loads the rollouts of one agent for the list; shows only that it is loading, has none, or does not respond. */
export function AgentRolloutsLoader({ agent, onLoaded }: Props) {
  const { data, error, failingSince } = usePolling(
    agent.uid,
    async (signal): Promise<AgentRollouts> => {
      const [status, list] = await Promise.all([identifyAgent(agent, signal), listRollouts(agent, signal)])
      return { agentName: agent.name, status, list }
    },
    (answer) => (answer?.list.some(({ running }) => running) ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS),
  )
  useEffect(() => {
    if (data) onLoaded(agent.uid, data)
  }, [agent.uid, data, onLoaded])

  if (error)
    return (
      <Alert severity="warning" title={`${agent.name} has not responded since ${formatTime(failingSince)}`}>
        {error.message}
      </Alert>
    )
  if (!data) return <LoadingPlaceholder text={`Loading from ${agent.name}…`} />
  return data.list.length === 0 ? (
    <p>{`${agent.name} has no rollout. Add a rollout file to its folder and restart the agent.`}</p>
  ) : null
}
