import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useEffect, useMemo } from 'react'
import { Navigate, Outlet, useLocation, useParams } from 'react-router-dom'
import { useEnvironment } from '../agent/useEnvironment'
import { IncidentBanner } from '../incident/IncidentBanner'
import { routes } from '../routes'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import type { RolloutContext } from '../rollout/rolloutContext'
import { RolloutHeaderActions } from '../rollout/RolloutHeaderActions'
import { RolloutTitle } from '../rollout/RolloutTitle'
import { useRollout } from '../rollout/useRollout'
import { Page } from './Page'
import { rolloutTabs } from './tabs'

/** The frame of every tab of a rollout: header, tabs, problems, and the banner of open incidents; it polls the agent once. */
export function RolloutShell() {
  const { environment: name = '', rollout = '' } = useParams()
  const { pathname } = useLocation()
  const styles = useStyles2(getStyles)
  const environment = useEnvironment(name)
  const poll = useRollout(environment.data, rollout)
  const { data: detail, refresh } = poll
  const error = environment.error ?? poll.error
  const lookAgain = environment.refresh
  // The agent that responded first may be gone: another one of the environment may respond.
  useEffect(() => {
    if (poll.error?.unreachable) lookAgain()
  }, [poll.error, lookAgain])
  const openIncidents = detail?.openIncidents ?? 0
  const tabs = useMemo(
    () => rolloutTabs(routes.rollout(name, rollout), pathname, openIncidents),
    [name, rollout, pathname, openIncidents],
  )
  if (environment.data?.status.groups?.includes(rollout)) return <Navigate replace to={routes.tables(name, rollout)} />
  const context: RolloutContext = { name, rollout, environment: environment.data, detail, error, refresh }

  return (
    <Page
      title={`${rollout} in ${name}`}
      renderTitle={() => <RolloutTitle rollout={rollout} name={name} environment={environment.data} detail={detail} />}
      tabs={tabs}
      actions={
        environment.data &&
        detail && <RolloutHeaderActions environment={environment.data} detail={detail} refresh={refresh} />
      }
    >
      <div className={styles.all}>
        <RolloutAlerts
          environmentName={name.split('@')[0] ?? null}
          rollout={rollout}
          environment={environment.data}
          detail={detail}
          error={error}
          failingSince={environment.failingSince ?? poll.failingSince}
          faults={detail?.faults}
        />
        {environment.data && detail && (
          <IncidentBanner environment={environment.data} detail={detail} refresh={refresh} />
        )}
        {!detail && !error && <LoadingPlaceholder text="Loading…" />}
        <Outlet context={context} />
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2), minWidth: 0 }),
})
