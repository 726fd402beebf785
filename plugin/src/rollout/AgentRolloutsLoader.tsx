import { LoadingPlaceholder } from '@grafana/ui'
import React, { useEffect } from 'react'
import type { AgentDataSource } from '../agent/agentDataSources'
import { createLanes } from '../agent/lanes'
import { pollRollouts } from '../agent/rolloutCalls'
import { identifyAgent } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { AgentOutage } from './AgentOutage'
import type { AgentRollouts } from './rolloutRows'

/** Each agent gets two requests; what a person sends needs connections, too. */
const inLane = createLanes(2)

interface Props {
  agent: AgentDataSource
  onChange: (known: AgentRollouts) => void
  /** A higher number loads again now, after an action. */
  generation: number
}

/** Loads the rollouts of one agent for the list; shows only that it is loading, has none, or does not respond. */
export function AgentRolloutsLoader({ agent, onChange, generation }: Props) {
  const { data, error, failingSince, refresh } = usePolling(
    agent.uid,
    (signal) =>
      inLane(async () => {
        const [status, list] = await Promise.all([identifyAgent(agent, signal), pollRollouts(agent, signal)])
        return { status, list }
      }),
    (answer) => (answer?.list.some(({ running }) => running) ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS),
  )
  useEffect(() => {
    onChange({ agent, answer: data, error, failingSince })
  }, [agent, data, error, failingSince, onChange])
  useEffect(() => {
    if (generation > 0) refresh()
  }, [generation, refresh])

  if (error)
    return (
      <AgentOutage agent={agent} error={error} failingSince={failingSince} what="rollouts" hasAnswer={data !== null} />
    )
  if (!data) return <LoadingPlaceholder text={`Loading from ${agent.name}…`} />
  return data.list.length === 0 && (data.status.groups ?? []).length === 0 ? (
    <p>{`${agent.name} has no rollout. Add a rollout file to its folder and restart the agent.`}</p>
  ) : null
}
