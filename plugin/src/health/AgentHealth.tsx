import { Card, LinkButton, Spinner } from '@grafana/ui'
import React from 'react'
import { checkAgentConnection } from './checkAgentConnection'
import { withAppSubUrl } from '../routes'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import type { AgentDataSource } from '../agent/agentDataSources'
import { FileTools } from '../files/FileTools'
import { AdoptState } from './AdoptState'
import { ConnectionSteps } from './ConnectionSteps'
import { userLevel } from '../agent/userLevel'
import { IDLE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'

/** The connection to one agent and to its dependencies, step by step. */
export function AgentHealth({ agent }: { agent: AgentDataSource }) {
  const { data, refresh } = usePolling(
    agent.uid,
    (signal) => checkAgentConnection(agent, signal),
    () => IDLE_POLL_INTERVAL_MS,
  )
  return (
    <Card noMargin>
      <Card.Heading>{agent.name}</Card.Heading>
      {data?.status && (
        <Card.Meta>
          <EnvironmentBadge name={data.status.environment} production={data.status.production} />
        </Card.Meta>
      )}
      <Card.Description>
        {data ? <ConnectionSteps steps={data.steps} /> : <Spinner inline />}
        {data?.status && <AdoptState agent={agent} status={data.status} onAdopted={refresh} />}
      </Card.Description>
      <Card.Actions>
        {userLevel() === 'admin' && (
          <LinkButton size="sm" variant="secondary" href={withAppSubUrl(`/connections/datasources/edit/${agent.uid}`)}>
            Settings
          </LinkButton>
        )}
        {data?.status && <FileTools agent={agent} status={data.status} />}
      </Card.Actions>
    </Card>
  )
}
