import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { LinkButton, Text, TextLink, useStyles2 } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { formatQuantity } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { ActionButton } from '../action/ActionButton'
import { OperationButton } from '../action/OperationButton'
import { missingRightReasons } from '../action/refusalReasons'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { withAppSubUrl, routes } from '../routes'
import { deadlineText, SEVERITY_LABELS, sortIncidents } from './display'
import { IncidentResponseConfirmation } from './IncidentResponseConfirmation'
import { incidentReport, needsFlagRollback } from './incidentReport'
import { IncidentSummary } from './IncidentSummary'
import { useCurrentTime } from './useCurrentTime'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The most severe incident that is not closed: on every tab of its rollout and in the panel. */
export function IncidentBanner({ environment, detail, refresh }: Props) {
  const styles = useStyles2(getStyles)
  const [acknowledging, setAcknowledging] = useState(false)
  const [incident, ...others] = sortIncidents(
    detail.incidents.filter(({ state, severity }) => state !== 'closed' && severity !== 'info'),
  )
  const now = useCurrentTime(incident?.state === 'open')
  if (!incident) return null
  const open = incident.state === 'open'
  const report = incidentReport(incident, detail)
  const incidentsUrl = routes.incidents(environmentPlace(environment), detail.rollout)
  return (
    <section
      aria-label={`Incident ${incident.id}`}
      className={cx(styles.all, open && incident.severity === 'critical' ? styles.critical : styles.other)}
    >
      <div className={styles.line}>
        <div className={styles.head}>
          <Text element="h2" variant="h5" color={open && incident.severity === 'critical' ? 'error' : 'warning'}>
            {`${SEVERITY_LABELS[incident.severity]} · ${report.title}`}
          </Text>
          <span className={styles.deadline} role={open ? 'timer' : undefined}>
            {deadlineText(incident, now)}
          </span>
        </div>
        <div className={styles.actions}>
          {needsFlagRollback(incident, detail) && (
            <OperationButton
              action="rollback-flag"
              variant="destructive"
              size="md"
              environment={environment}
              detail={detail}
              onStarted={refresh}
            />
          )}
          {open && (
            <ActionButton
              action="acknowledge"
              size="md"
              variant="primary"
              reasons={missingRightReasons(environment.status, 'acknowledge')}
              onClick={() => setAcknowledging(true)}
            />
          )}
          <LinkButton variant="secondary" href={withAppSubUrl(`${incidentsUrl}#incident-${incident.id}`)}>
            Incident
          </LinkButton>
          <LinkButton
            variant="secondary"
            href={withAppSubUrl(routes.runbookEntry(incident.rule, environment.name, detail.rollout))}
          >
            Runbook
          </LinkButton>
        </div>
      </div>
      <IncidentSummary report={report} />
      {others.length > 0 && (
        <TextLink href={incidentsUrl} inline={false}>
          {`${formatQuantity(others.length, 'more incident')} not closed`}
        </TextLink>
      )}
      {acknowledging && (
        <IncidentResponseConfirmation
          response={{ verb: 'acknowledge', incident }}
          environment={environment}
          onClose={() => setAcknowledging(false)}
          onDone={() => {
            setAcknowledging(false)
            refresh()
          }}
        />
      )}
    </section>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1),
    padding: theme.spacing(1.5, 2),
    borderRadius: theme.shape.radius.default,
    border: `1px solid ${theme.colors.border.weak}`,
    background: theme.colors.background.primary,
  }),
  critical: css({
    borderColor: theme.colors.error.border,
    borderInlineStart: `${theme.spacing(0.5)} solid ${theme.colors.error.main}`,
  }),
  other: css({
    borderColor: theme.colors.warning.border,
    borderInlineStart: `${theme.spacing(0.5)} solid ${theme.colors.warning.main}`,
  }),
  line: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'flex-start',
    justifyContent: 'space-between',
    gap: theme.spacing(1, 2),
  }),
  head: css({ flex: '1 1 280px', minWidth: 0 }),
  deadline: css({ fontVariantNumeric: 'tabular-nums' }),
  actions: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
})
