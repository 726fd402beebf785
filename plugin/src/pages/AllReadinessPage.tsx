import React, { useMemo } from 'react'
import { listAgentDataSources } from '../agent/agentDataSources'
import { routes } from '../routes'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { AgentReadiness, COLUMNS } from '../readiness/AgentReadiness'
import { Page } from './Page'

/** The readiness of every rollout in every environment; each agent loads separately. */
export function AllReadinessPage() {
  const agents = useMemo(() => listAgentDataSources(), [])
  return (
    <Page
      title="Readiness"
      url={routes.allReadiness()}
      subTitle="Share of ready items in each list; unknown items count as not ready."
    >
      {agents.length === 0 ? (
        <p>No agent is configured. An admin adds a data source of type “STI Rollout agent” for each agent.</p>
      ) : (
        <ResponsiveTable columns={COLUMNS}>
          {agents.map((agent) => (
            <AgentReadiness key={agent.uid} agent={agent} />
          ))}
        </ResponsiveTable>
      )}
    </Page>
  )
}
