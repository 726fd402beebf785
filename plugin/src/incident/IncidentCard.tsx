import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, Text, TextLink, useStyles2 } from '@grafana/ui'
import type { Incident } from '@sti-rollout/agent/contract'
import React from 'react'
import { ActionButton } from '../action/ActionButton'
import { routes } from '../routes'
import { DefinitionList } from '../layout/DefinitionList'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { formatTime } from '../formatTime'
import { JoinedChanges } from './JoinedChanges'
import type { IncidentResponse } from './IncidentResponseConfirmation'
import { useCurrentTime } from './useCurrentTime'
import { acknowledgementTimer, escalationText, SEVERITY_DISPLAY, SOURCE_LABELS, STATE_COLORS } from './display'

interface Props {
  incident: Incident
  production: boolean
  /** Why this person cannot respond. */
  refusalReasons: readonly string[]
  onRespond: (response: IncidentResponse) => void
}

/** One incident: its alert, the agent's reading and decision, its timer, escalation, and responses. */
export function IncidentCard({ incident, production, refusalReasons, onRespond }: Props) {
  const styles = useStyles2(getStyles)
  const { id, rule, severity, state, drill, summary, reasons, environment, rollout, times } = incident
  const open = state === 'open'
  const now = useCurrentTime(open)
  const { text, late } = acknowledgementTimer(incident, now)
  return (
    <article className={cx(styles.all, open && styles.open)} aria-label={`Incident ${id}`}>
      <div className={styles.line}>
        <Badge text={severity} {...SEVERITY_DISPLAY[severity]} />
        <Text element="h3" variant="h5">
          {`${rule}${drill ? ' (drill)' : ''}`}
        </Text>
        <Badge text={state} color={STATE_COLORS[state]} />
        <EnvironmentBadge name={environment} production={production} />
        {rollout !== null && (
          <TextLink href={routes.rollout(environment, rollout)} inline={false}>
            {rollout}
          </TextLink>
        )}
        <TextLink href={`${routes.runbook()}#${rule.toLowerCase()}`} inline={false}>
          Runbook
        </TextLink>
        <span className={late ? styles.late : styles.timer} role={open ? 'timer' : undefined}>
          {text}
        </span>
        <span className={styles.actions}>
          {open && (
            <ActionButton
              action="acknowledge"
              variant="primary"
              reasons={refusalReasons}
              onClick={() => onRespond({ verb: 'acknowledge', incident })}
            />
          )}
          {state !== 'closed' && severity !== 'info' && (
            <ActionButton
              action="acknowledge"
              label="Close"
              icon="times"
              reasons={refusalReasons}
              onClick={() => onRespond({ verb: 'resolve', incident })}
            />
          )}
        </span>
      </div>
      <p>{summary}</p>
      <JoinedChanges joined={incident.joined} />
      <DefinitionList items={incidentDetails(incident, now)} />
      {reasons.length > 0 && (
        <details open={open}>
          <summary>Decision of the agent</summary>
          <ul className={styles.reasons}>
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
      {times > 1 && <span className={styles.weak}>{`${times} alerts, latest at ${formatTime(incident.seenAt)}`}</span>}
    </article>
  )
}

function incidentDetails(incident: Incident, now: number): Array<readonly [string, React.ReactNode]> {
  const { openedAt, source, change, reading, rollback, environment, rollout } = incident
  const formatResponse = (by: Incident['closedBy'], at: string | null, note: string | null) =>
    `${by?.name ?? '–'}, ${formatTime(at)}${note ? `: ${note}` : ''}`
  return [
    ['Opened', `${formatTime(openedAt)} by ${SOURCE_LABELS[source]}`],
    ...(change === null ? [] : [['Change', change] as const]),
    [
      'Agent’s reading',
      reading === null ? 'The agent does not monitor this condition itself.' : `${reading.state}: ${reading.sentence}`,
    ],
    [
      'Rolled back',
      rollback === null ? (
        'no'
      ) : rollback.operationId === null || rollout === null ? (
        `${rollback.scope}, ${formatTime(rollback.at)}`
      ) : (
        <TextLink href={routes.operation(environment, rollout, rollback.operationId)} inline={false}>
          {`${rollback.scope}, ${formatTime(rollback.at)}`}
        </TextLink>
      ),
    ],
    ['Escalation', escalationText(incident, now)],
    ...(incident.acknowledgedAt === null
      ? []
      : [
          [
            'Acknowledged by',
            formatResponse(incident.acknowledgedBy, incident.acknowledgedAt, incident.acknowledgedNote),
          ] as const,
        ]),
    ...(incident.closedAt === null
      ? []
      : [['Closed by', formatResponse(incident.closedBy, incident.closedAt, incident.closedNote)] as const]),
  ]
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
    p: { margin: 0, overflowWrap: 'anywhere' },
  }),
  open: css({ borderInlineStart: `${theme.spacing(0.5)} solid ${theme.colors.error.main}` }),
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.25) }),
  timer: css({ fontVariantNumeric: 'tabular-nums' }),
  late: css({ color: theme.colors.error.text, fontVariantNumeric: 'tabular-nums' }),
  actions: css({ display: 'flex', gap: theme.spacing(1), marginInlineStart: 'auto' }),
  reasons: css({ margin: 0, paddingInlineStart: theme.spacing(2.5), overflowWrap: 'anywhere' }),
  weak: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
