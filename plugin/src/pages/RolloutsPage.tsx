import { EmptyState, LinkButton } from '@grafana/ui'
import React, { useMemo } from 'react'
import { listAgentDataSources } from '../agent/agentDataSources'
import { withAppSubUrl, routes } from '../routes'
import { AgentRollouts } from '../rollout/AgentRollouts'
import { RolloutsTable } from '../rollout/RolloutsTable'
import { Page } from './Page'

/** Every rollout in every environment; each agent is asked by itself, and its rows appear as they come. */
export function RolloutsPage() {
  const list = useMemo(() => listAgentDataSources(), [])
  return (
    <Page
      title="Rollouts"
      url={routes.rollouts()}
      subTitle="Every rollout in every environment, as its agent answers it."
    >
      {list.length === 0 ? (
        <EmptyState
          variant="call-to-action"
          message="No agent is configured"
          button={
            <LinkButton href={withAppSubUrl('/connections/datasources/sti-rollout-datasource')} icon="plus">
              Add an agent
            </LinkButton>
          }
        >
          An agent runs beside one database. Add a data source of type “STI Rollout agent” for each, or provision them.
        </EmptyState>
      ) : (
        <RolloutsTable>
          {list.map((agent) => (
            <AgentRollouts key={agent.uid} agent={agent} />
          ))}
        </RolloutsTable>
      )}
    </Page>
  )
}
