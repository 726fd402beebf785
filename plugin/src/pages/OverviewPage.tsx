import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LinkButton, useStyles2 } from '@grafana/ui'
import React from 'react'
import { Section } from '../layout/Section'
import { ControlGroup } from '../operation/ControlGroup'
import { OperationsTable } from '../operation/OperationsTable'
import { DASHBOARD_UID, withAppSubUrl, routes } from '../routes'
import { FailedRows } from '../rollout/FailedRows'
import { FlagClients } from '../rollout/FlagClients'
import { RolloutCard } from '../rollout/RolloutCard'
import { useRolloutContext } from '../rollout/rolloutContext'
import { annotationRevision } from '../rollout/useRollout'
import { VitalSigns } from '../rollout/VitalSigns'
import { MonitoringPanels } from '../scene/MonitoringPanels'

const RECENT_OPERATIONS = 5

/** Where a rollout is, its vital signs, the monitoring panels, and its recent operations. */
export function OverviewPage() {
  const styles = useStyles2(getStyles)
  const { name, rollout, environment, detail, error, refresh } = useRolloutContext()
  if (!environment || !detail) return null
  const common = { environment, detail, refresh }
  return (
    <>
      <div className={styles.card}>
        <RolloutCard {...common} unreachable={error?.unreachable} />
      </div>
      {detail.comparison && !detail.running?.progress?.ramp && <ControlGroup comparison={detail.comparison} />}
      <VitalSigns detail={detail} />
      <FailedRows {...common} />
      <FlagClients {...common} />
      <section aria-label="Monitoring">
        <MonitoringPanels
          agent={environment.agent}
          environment={environment.name}
          rollout={rollout}
          incidents={detail.incidents}
          revision={annotationRevision(detail)}
        />
      </section>
      <Section
        title="Recent operations"
        actions={
          <>
            <LinkButton size="sm" variant="secondary" href={withAppSubUrl(routes.operations(name, rollout))}>
              All operations
            </LinkButton>
            <LinkButton
              variant="secondary"
              size="sm"
              icon="apps"
              href={withAppSubUrl(
                `/d/${DASHBOARD_UID}?var-agent=${encodeURIComponent(environment.agent.uid)}&var-rollout=${encodeURIComponent(rollout)}`,
              )}
            >
              Dashboard
            </LinkButton>
          </>
        }
      >
        <OperationsTable environment={name} operations={detail.operations.slice(0, RECENT_OPERATIONS)} />
      </Section>
    </>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  card: css({
    padding: theme.spacing(2),
    borderRadius: theme.shape.radius.default,
    border: `1px solid ${theme.colors.border.weak}`,
    background: theme.colors.background.primary,
  }),
})
