import { css } from '@emotion/css'
import type { GrafanaTheme2, PanelProps } from '@grafana/data'
import { LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useEffect } from 'react'
import { getAgentDataSource } from '../agent/agentDataSources'
import { ACTIVE_POLL_INTERVAL_MS, SLOW_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { loadEnvironment } from '../agent/useEnvironment'
import { IncidentBanner } from '../incident/IncidentBanner'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { RolloutCard } from '../rollout/RolloutCard'
import { RolloutHeaderActions } from '../rollout/RolloutHeaderActions'
import { RolloutSummaryLine } from '../rollout/RolloutSummaryLine'
import { useRollout } from '../rollout/useRollout'

export interface PanelOptions {
  /** The uid of the agent's data source; may be a variable. */
  agent: string
  /** The name of the rollout; may be a variable. */
  rollout: string
}

/** Grafana shows the panel menu on top of the corner of the panel. */
const PANEL_MENU_WIDTH = 40

/** The header, the incident banner, the steps, and the next step of one rollout, for any dashboard. */
export function RolloutPanel({ options, replaceVariables, width, height }: PanelProps<PanelOptions>) {
  const uid = replaceVariables(options.agent)
  const name = replaceVariables(options.rollout)
  const environment = usePolling(
    isResolved(uid) ? uid : null,
    (signal) => loadEnvironment(getAgentDataSource(uid), signal),
    (found) => (found === null ? ACTIVE_POLL_INTERVAL_MS : SLOW_POLL_INTERVAL_MS),
  )
  const detail = useRollout(isResolved(name) ? environment.data : null, name)
  const lookAgain = environment.refresh
  useEffect(() => {
    if (detail.error?.unreachable) lookAgain()
  }, [detail.error, lookAgain])

  const styles = useStyles2(getStyles)
  const noRollout = environment.data !== null && !isResolved(name)

  if (!isResolved(uid)) return <div>No agent is configured. Add a data source of type “STI Rollout agent”.</div>
  return (
    // Content that does not fit scrolls, so the keyboard has to reach it.
    <div
      style={{ width, height, overflow: 'auto', paddingInlineEnd: PANEL_MENU_WIDTH }}
      tabIndex={0}
      role="region"
      aria-label={`Actions on ${name}`}
    >
      <div className={styles.all}>
        <RolloutAlerts
          environmentName={environment.data?.name ?? getAgentDataSource(uid).expected}
          rollout={isResolved(name) ? name : null}
          environment={environment.data}
          detail={detail.data}
          error={environment.error ?? detail.error}
          failingSince={environment.failingSince ?? detail.failingSince}
          faults={detail.data?.faults}
        />
        {environment.data && detail.data && (
          <>
            <div className={styles.head}>
              <RolloutSummaryLine environment={environment.data} detail={detail.data} />
              <RolloutHeaderActions environment={environment.data} detail={detail.data} refresh={detail.refresh} />
            </div>
            <IncidentBanner environment={environment.data} detail={detail.data} refresh={detail.refresh} />
            <RolloutCard
              environment={environment.data}
              detail={detail.data}
              refresh={detail.refresh}
              unreachable={(environment.error ?? detail.error)?.unreachable}
              compact={detail.data.openIncidents > 0}
            />
          </>
        )}
      </div>
      {noRollout && <p>This agent has no rollout. Add a rollout file to its folder and restart the agent.</p>}
      {!noRollout && !detail.data && !environment.error && !detail.error && <LoadingPlaceholder text="Loading…" />}
    </div>
  )
}

/** Grafana leaves a variable without a value unchanged. */
const isResolved = (value: string) => value !== '' && !value.startsWith('$')

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1.5) }),
  head: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(1, 2),
  }),
})
