import React, { useMemo } from 'react'
import { listAgentDataSources } from '../agent/agentDataSources'
import { routes } from '../routes'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { AgentReadiness, COLUMNS } from '../readiness/AgentReadiness'
import { Page } from './Page'

/** How ready every rollout is in every environment; each agent is asked by itself. */
export function AllReadinessPage() {
  const list = useMemo(() => listAgentDataSources(), [])
  return (
    <Page title="Readiness" url={routes.allReadiness()} subTitle="Ready items of each list; unknown is not ready.">
      {list.length === 0 ? (
        <p>No agent is configured yet. An admin adds a data source of type “STI Rollout agent” for each.</p>
      ) : (
        <ResponsiveTable columns={COLUMNS}>
          {list.map((agent) => (
            <AgentReadiness key={agent.uid} agent={agent} />
          ))}
        </ResponsiveTable>
      )}
    </Page>
  )
}
