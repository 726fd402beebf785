import { Alert, LoadingPlaceholder } from '@grafana/ui'
import React, { useEffect } from 'react'
import type { Agent } from '../agent/agents'
import { rollouts } from '../agent/calls'
import { environmentOf } from '../agent/useEnvironment'
import { RUNNING_MS, usePolled } from '../agent/usePolled'
import { clock } from '../words/numbers'
import type { Choice } from './ChoiceRow'

interface Props {
  agent: Agent
  onFound: (uid: string, choices: readonly Choice[]) => void
}

/** Asks one agent for its flags and hands them up; shows only that it is asked, or away. */
export function AgentFlags({ agent, onFound }: Props) {
  const { data, error, failingSince } = usePolled(
    agent.uid,
    async (signal): Promise<Choice[]> => {
      const [environment, list] = await Promise.all([environmentOf(agent, signal), rollouts(agent, signal)])
      return list.map((summary) => ({ environment, summary }))
    },
    () => RUNNING_MS,
  )
  useEffect(() => {
    if (data) onFound(agent.uid, data)
  }, [agent.uid, data, onFound])

  if (error) {
    return (
      <Alert severity="warning" title={`${agent.name}: no answer since ${clock(failingSince)}`}>
        {error.message} {`If the application must be switched back now, use “sti rollback flag”, or see the runbook.`}
      </Alert>
    )
  }
  return data ? null : <LoadingPlaceholder text={`Asking ${agent.name}…`} />
}
