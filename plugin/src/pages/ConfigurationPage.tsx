import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LinkButton, Text, TextLink, useStyles2 } from '@grafana/ui'
import React, { useMemo } from 'react'
import { AgentHealth } from '../health/AgentHealth'
import { listAgentDataSources } from '../agent/agentDataSources'
import { userLevel } from '../agent/userLevel'
import { listPrometheusDataSources } from '../scene/prometheusDataSource'
import { PrometheusHealth } from '../health/PrometheusHealth'
import { withAppSubUrl, routes } from '../routes'
import { Page } from './Page'

/** The connections to the agents and to Prometheus, step by step. */
export function ConfigurationPage() {
  const styles = useStyles2(getStyles)
  const agents = useMemo(() => listAgentDataSources(), [])
  const sources = useMemo(() => listPrometheusDataSources(), [])
  return (
    <Page
      title="Configuration"
      url={routes.configuration()}
      subTitle="The connection to each agent and to Prometheus, step by step"
      actions={
        userLevel() === 'admin' && (
          <LinkButton size="sm" icon="plus" href={withAppSubUrl('/connections/datasources/sti-rollout-datasource')}>
            Add agent
          </LinkButton>
        )
      }
    >
      <div className={styles.all}>
        <Text element="h2" variant="h4">
          Agents
        </Text>
        {agents.length === 0 && (
          <p>No agent is configured. An admin adds a data source of type “STI Rollout agent” for each agent.</p>
        )}
        <div className={styles.grid}>
          {agents.map((agent) => (
            <AgentHealth key={agent.uid} agent={agent} />
          ))}
        </div>
        <Text element="h2" variant="h4">
          Prometheus
        </Text>
        {sources.length === 0 && (
          <p>
            No Prometheus data source is configured, so the panels are empty.{' '}
            <TextLink href="/connections/datasources/prometheus">Add a Prometheus</TextLink> that scrapes the agents.
          </p>
        )}
        <div className={styles.grid}>
          {sources.map(({ uid, name }) => (
            <PrometheusHealth key={uid} uid={uid} name={name} />
          ))}
        </div>
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
  grid: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(min(420px, 100%), 1fr))',
    gap: theme.spacing(2),
    alignItems: 'start',
  }),
})
