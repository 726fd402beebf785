import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useMemo } from 'react'
import { useParams } from 'react-router-dom'
import { listAgentDataSources } from '../agent/agentDataSources'
import { useEnvironment } from '../agent/useEnvironment'
import { routes } from '../routes'
import { AgentIncidents } from '../incident/AgentIncidents'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { rolloutBreadcrumbs, Page } from './Page'

/** The incidents of one rollout. */
export function IncidentsPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const { data, error, failingSince } = useEnvironment(name)
  return (
    <Page title="Incidents" subTitle={`${rollout} in ${name}`} parents={rolloutBreadcrumbs(name, rollout)}>
      <div className={styles.all}>
        <RolloutAlerts environment={data} error={error} failingSince={failingSince} />
        {!data && !error && <LoadingPlaceholder text="Loading…" />}
        {data && <AgentIncidents agent={data.agent} rollout={rollout} />}
      </div>
    </Page>
  )
}

/** The incidents of every environment; each agent loads separately. */
export function AllIncidentsPage() {
  const styles = useStyles2(getStyles)
  const agents = useMemo(() => listAgentDataSources(), [])
  return (
    <Page
      title="Incidents"
      url={routes.allIncidents()}
      subTitle="Alerts, decisions of the agents, and responses in every environment"
    >
      <div className={styles.all}>
        {agents.length === 0 && (
          <p>No agent is configured. An admin adds a data source of type “STI Rollout agent” for each agent.</p>
        )}
        {agents.map((agent) => (
          <AgentIncidents key={agent.uid} agent={agent} rollout={null} />
        ))}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1.5), p: { margin: 0 } }),
})
