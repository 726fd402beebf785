import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LinkButton, LoadingPlaceholder, Stack, useStyles2 } from '@grafana/ui'
import React from 'react'
import { useParams } from 'react-router-dom'
import { useEnvironment } from '../agent/useEnvironment'
import { DASHBOARD_UID, withAppSubUrl, routes } from '../routes'
import { OperationsTable } from '../operation/OperationsTable'
import { RolloutControls } from '../rollout/RolloutControls'
import { FailedRows } from '../rollout/FailedRows'
import { FlagClients } from '../rollout/FlagClients'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { useRollout } from '../rollout/useRollout'
import { MonitoringPanels } from '../scene/MonitoringPanels'
import { Page } from './Page'

/** One rollout in one environment: actions, the running operation, monitoring panels, recent operations. */
export function RolloutPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  const agent = environment.data?.agent.uid ?? ''

  return (
    <Page
      title={`${rollout} in ${name}`}
      actions={
        <Stack direction="row" wrap="wrap" gap={1}>
          <LinkButton
            variant="secondary"
            size="sm"
            icon="check-square"
            href={withAppSubUrl(routes.validation(name, rollout))}
          >
            Validation
          </LinkButton>
          <LinkButton
            variant="secondary"
            size="sm"
            icon="clipboard-alt"
            href={withAppSubUrl(routes.readiness(name, rollout))}
          >
            Readiness
          </LinkButton>
          <LinkButton
            variant="secondary"
            size="sm"
            icon="file-alt"
            href={withAppSubUrl(routes.columnDrop(name, rollout))}
          >
            Column drop
          </LinkButton>
          <LinkButton variant="secondary" size="sm" icon="bell" href={withAppSubUrl(routes.incidents(name, rollout))}>
            Incidents
          </LinkButton>
          <LinkButton
            variant="secondary"
            size="sm"
            icon="apps"
            href={withAppSubUrl(
              `/d/${DASHBOARD_UID}?var-agent=${encodeURIComponent(agent)}&var-rollout=${encodeURIComponent(rollout)}`,
            )}
          >
            Dashboard
          </LinkButton>
        </Stack>
      }
    >
      <div className={styles.all}>
        <RolloutAlerts
          environment={environment.data}
          error={environment.error ?? error}
          failingSince={environment.failingSince ?? failingSince}
          faults={detail?.faults}
        />
        {!detail && !environment.error && !error && <LoadingPlaceholder text="Loading…" />}
        {environment.data && detail && (
          <>
            <div className={styles.bar}>
              <RolloutControls environment={environment.data} detail={detail} refresh={refresh} />
            </div>
            <MonitoringPanels agent={environment.data.agent} environment={name} rollout={rollout} />
            <FailedRows environment={environment.data} detail={detail} refresh={refresh} />
            <FlagClients environment={environment.data} detail={detail} refresh={refresh} />
            <OperationsTable environment={name} operations={detail.operations} />
          </>
        )}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
  bar: css({
    padding: theme.spacing(1.5),
    borderRadius: theme.shape.radius.default,
    border: `1px solid ${theme.colors.border.weak}`,
    background: theme.colors.background.primary,
  }),
})
