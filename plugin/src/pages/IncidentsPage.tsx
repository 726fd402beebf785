import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { EmptyState, useStyles2 } from '@grafana/ui'
import React, { useEffect, useMemo } from 'react'
import { useLocation } from 'react-router-dom'
import { missingRightReasons } from '../action/refusalReasons'
import { listAgentDataSources } from '../agent/agentDataSources'
import { AgentIncidents } from '../incident/AgentIncidents'
import { IncidentList } from '../incident/IncidentList'
import { StartDrill } from '../incident/StartDrill'
import { isUnseen, UnseenInformation } from '../incident/UnseenInformation'
import { useCurrentTime } from '../incident/useCurrentTime'
import { TabActions } from '../layout/TabActions'
import { routes } from '../routes'
import { useRolloutContext } from '../rollout/rolloutContext'
import { Page } from './Page'

/** The incidents of one rollout. */
export function IncidentsPage() {
  const { name, rollout, environment, detail, refresh } = useRolloutContext()
  const { hash } = useLocation()
  const loaded = detail !== null
  const now = useCurrentTime(detail?.incidents.some(isUnseen) === true)
  useEffect(() => {
    if (!loaded || hash === '') return
    const card = document.getElementById(hash.slice(1))
    card?.scrollIntoView()
    card?.focus()
  }, [loaded, hash])
  if (!environment || !detail) return null
  return (
    <>
      <TabActions>
        <StartDrill
          agent={environment.agent}
          environment={environment}
          rollout={rollout}
          refusalReasons={missingRightReasons(environment.status, 'drill')}
          onStarted={refresh}
        />
      </TabActions>
      <UnseenInformation incidents={detail.incidents} now={now} />
      {detail.incidents.length === 0 && (
        <EmptyState variant="completed" message={`No incidents for ${rollout} in ${name}`}>
          An alert, the agent’s guard, or a drill opens an incident. It shows here and on every tab until it is closed.
        </EmptyState>
      )}
      <IncidentList incidents={detail.incidents} environment={environment} context={detail} refresh={refresh} />
    </>
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
          <AgentIncidents key={agent.uid} agent={agent} />
        ))}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1.5), p: { margin: 0 } }),
})
