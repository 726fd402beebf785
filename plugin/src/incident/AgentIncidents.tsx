import { Alert, LoadingPlaceholder } from '@grafana/ui'
import React, { useState } from 'react'
import type { Agent } from '../agent/agents'
import { incidents } from '../agent/incidentCalls'
import { identify } from '../agent/useEnvironment'
import { QUIET_MS, RUNNING_MS, usePolled } from '../agent/usePolled'
import { clock } from '../words/numbers'
import { type Answer, AnswerConfirmation } from './AnswerConfirmation'
import { IncidentCard } from './IncidentCard'
import { inOrder } from './look'
import { refusedTo } from './refused'

interface Props {
  agent: Agent
  /** Null: of every rollout, and of the environment as a whole. */
  rollout: string | null
}

/** The incidents that one agent knows, those that wait for somebody first; while it is away, since when. */
export function AgentIncidents({ agent, rollout }: Props) {
  const [answer, setAnswer] = useState<Answer | null>(null)
  const asked = usePolled(
    `${agent.uid}/${rollout ?? ''}`,
    async (signal) => {
      const [status, list] = await Promise.all([identify(agent, signal), incidents(agent, rollout, signal)])
      return { status, list }
    },
    (data) => (data?.list.some(({ state }) => state === 'open') ? RUNNING_MS : QUIET_MS),
  )
  const { data, error, failingSince } = asked
  return (
    <>
      {error && (
        <Alert severity="warning" title={`${agent.name} does not answer since ${clock(failingSince)}`}>
          {error.message}
        </Alert>
      )}
      {!data && !error && <LoadingPlaceholder text={`Asking ${agent.name}…`} />}
      {data?.list.length === 0 && (
        <p>{`${data.status.environment}: no incident${rollout === null ? '' : ` of ${rollout}`} yet.`}</p>
      )}
      {data &&
        inOrder(data.list).map((incident) => (
          <IncidentCard
            key={incident.id}
            incident={incident}
            production={data.status.production}
            refused={refusedTo(data.status)}
            onAnswer={setAnswer}
          />
        ))}
      {answer && data && (
        <AnswerConfirmation
          answer={answer}
          environment={{ name: data.status.environment, production: data.status.production, agent }}
          onClose={() => setAnswer(null)}
          onDone={() => {
            setAnswer(null)
            asked.refresh()
          }}
        />
      )}
    </>
  )
}
