import { EmptyState, LinkButton } from '@grafana/ui'
import React, { useMemo } from 'react'
import { listAgentDataSources } from '../agent/agentDataSources'
import { withAppSubUrl, routes } from '../routes'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { AgentRollouts, COLUMNS } from '../rollout/AgentRollouts'
import { Page } from './Page'

/** Every rollout in every environment; each agent loads separately. */
export function RolloutsPage() {
  const agents = useMemo(() => listAgentDataSources(), [])
  return (
    <Page title="Rollouts" url={routes.rollouts()} subTitle="Every rollout in every environment">
      {agents.length === 0 ? (
        <EmptyState
          variant="call-to-action"
          message="No agent is configured"
          button={
            <LinkButton href={withAppSubUrl('/connections/datasources/sti-rollout-datasource')} icon="plus">
              Add agent
            </LinkButton>
          }
        >
          Each agent serves one database. Add or provision a data source of type “STI Rollout agent” for each agent.
        </EmptyState>
      ) : (
        <ResponsiveTable columns={COLUMNS}>
          {agents.map((agent) => (
            <AgentRollouts key={agent.uid} agent={agent} />
          ))}
        </ResponsiveTable>
      )}
    </Page>
  )
}
