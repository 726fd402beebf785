import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, LinkButton, Text, TextLink, useStyles2 } from '@grafana/ui'
import type { Incident } from '@sti-rollout/agent/contract'
import React from 'react'
import { ActionButton } from '../action/ActionButton'
import { formatTime } from '../formatTime'
import { withAppSubUrl, routes } from '../routes'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import type { IncidentResponse } from './IncidentResponseConfirmation'
import { acknowledgementTimer, deadlineText, SEVERITY_DISPLAY, SOURCE_LABELS, STATE_COLORS } from './display'
import { type IncidentContext, incidentReport } from './incidentReport'
import { IncidentSummary } from './IncidentSummary'
import { JoinedChanges } from './JoinedChanges'
import { useCurrentTime } from './useCurrentTime'

interface Props {
  incident: Incident
  production: boolean
  /** The state of its rollout now; null: not known here. */
  context: IncidentContext | null
  /** Shows the environment and the rollout; not on the page of that rollout. */
  showRollout: boolean
  /** Why this person cannot respond. */
  refusalReasons: readonly string[]
  onRespond: (response: IncidentResponse) => void
}

/** One incident: what happened, the decision, the state now, the deadline, who is next, and one button. */
export function IncidentCard({ incident, production, context, showRollout, refusalReasons, onRespond }: Props) {
  const styles = useStyles2(getStyles)
  const { id, rule, severity, state, environment, rollout } = incident
  const open = state === 'open'
  const now = useCurrentTime(open)
  const { late } = acknowledgementTimer(incident, now)
  const report = incidentReport(incident, state === 'closed' ? null : context)
  return (
    <article
      id={`incident-${id}`}
      tabIndex={-1}
      className={cx(styles.all, open && styles[severity])}
      aria-label={`Incident ${id}`}
    >
      <div className={styles.line}>
        <Badge text={severity} {...SEVERITY_DISPLAY[severity]} />
        <Text element="h3" variant="h5">
          {report.title}
        </Text>
        <Badge text={state} color={STATE_COLORS[state]} />
        {showRollout && (
          <>
            <EnvironmentBadge name={environment} production={production} />
            {rollout !== null && (
              <TextLink href={routes.rollout(environment, rollout)} inline={false}>
                {rollout}
              </TextLink>
            )}
          </>
        )}
        <span className={styles.actions}>
          {open && (
            <ActionButton
              action="acknowledge"
              variant="primary"
              reasons={refusalReasons}
              onClick={() => onRespond({ verb: 'acknowledge', incident })}
            />
          )}
          {state === 'acknowledged' && severity !== 'info' && (
            <ActionButton
              action="acknowledge"
              label="Close incident"
              icon="times"
              variant="primary"
              reasons={refusalReasons}
              onClick={() => onRespond({ verb: 'resolve', incident })}
            />
          )}
          <LinkButton
            size="sm"
            variant="secondary"
            fill="text"
            href={withAppSubUrl(routes.runbookEntry(rule, environment, rollout))}
          >
            Runbook
          </LinkButton>
        </span>
      </div>
      <span className={late && open ? styles.late : styles.deadline} role={open ? 'timer' : undefined}>
        {deadlineText(incident, now)}
      </span>
      <IncidentSummary report={report} />
      <JoinedChanges joined={incident.joined} />
      <IncidentFacts incident={incident} />
    </article>
  )
}

/** What the summary does not say: the decision's other reasons, the operation, the change, the responses. */
function IncidentFacts({ incident }: { incident: Incident }) {
  const styles = useStyles2(getStyles)
  const { id, rule, rollout, environment, rollback, reasons, source, openedAt, seenAt, times, change } = incident
  const furtherReasons = rollback === null ? reasons.slice(1) : reasons
  return (
    <>
      {furtherReasons.length > 0 && (
        <details>
          <summary>Why the agent decided so</summary>
          <ul className={styles.reasons}>
            {furtherReasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
      <div className={styles.facts}>
        <span>{`Incident ${id}, ${rule}`}</span>
        <span>{`opened at ${formatTime(openedAt)} by ${SOURCE_LABELS[source]}`}</span>
        {times > 1 && <span>{`${times} alerts, latest at ${formatTime(seenAt)}`}</span>}
        {change !== null && <span>{`change ${change}`}</span>}
        {rollback !== null && rollback.operationId !== null && rollout !== null && (
          <TextLink
            href={routes.operation(environment, rollout, rollback.operationId)}
            inline={false}
            variant="bodySmall"
          >
            {`Rollback ${rollback.operationId}`}
          </TextLink>
        )}
        {rollout !== null && (
          <TextLink href={routes.rolloutAt(environment, rollout, openedAt)} inline={false} variant="bodySmall">
            Panels at that time
          </TextLink>
        )}
      </div>
      {incident.acknowledgedNote && (
        <p>{`${incident.acknowledgedBy?.name ?? '–'}, ${formatTime(incident.acknowledgedAt)}: ${incident.acknowledgedNote}`}</p>
      )}
      {incident.closedAt !== null && (
        <p>{`Closed by ${incident.closedBy?.name ?? '–'}, ${formatTime(incident.closedAt)}${incident.closedNote ? `: ${incident.closedNote}` : ''}`}</p>
      )}
    </>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1),
    padding: theme.spacing(1.5, 2),
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.primary,
    scrollMarginTop: theme.spacing(8),
    p: { margin: 0, overflowWrap: 'anywhere' },
    '&:focus': { outline: `2px solid ${theme.colors.primary.border}` },
  }),
  critical: css({ borderInlineStart: `${theme.spacing(0.5)} solid ${theme.colors.error.main}` }),
  warning: css({ borderInlineStart: `${theme.spacing(0.5)} solid ${theme.colors.warning.main}` }),
  info: css({ borderInlineStart: `${theme.spacing(0.5)} solid ${theme.colors.info.main}` }),
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.25) }),
  deadline: css({ fontVariantNumeric: 'tabular-nums' }),
  late: css({ color: theme.colors.error.text, fontVariantNumeric: 'tabular-nums' }),
  actions: css({ display: 'flex', gap: theme.spacing(1), marginInlineStart: 'auto' }),
  reasons: css({ margin: 0, paddingInlineStart: theme.spacing(2.5), overflowWrap: 'anywhere' }),
  facts: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(0, 2),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
})
