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
import type { IncidentResponse } from './IncidentResponseConfirmation'
import { acknowledgementClock, escalationText, SEVERITY_DISPLAY, SOURCE_LABELS, STATE_COLORS } from './display'
import { useCurrentTime } from './useCurrentTime'

interface Props {
  incident: Incident
  production: boolean
  /** Why this person may not answer. */
  refusalReasons: readonly string[]
  onRespond: (answer: IncidentResponse) => void
}

/** One incident: what fired, what the agent reads and decided, its clock, who is called, who has seen it. */
export function IncidentCard({ incident, production, refusalReasons: refused, onRespond: onAnswer }: Props) {
  const styles = useStyles2(getStyles)
  const { id, rule, severity, state, drill, summary, reasons, environment, rollout, times } = incident
  const open = state === 'open'
  const now = useCurrentTime(open)
  const { text, late } = acknowledgementClock(incident, now)
  return (
    <article className={cx(styles.all, open && styles.open)} aria-label={`Incident ${id}`}>
      <div className={styles.line}>
        <Badge text={severity} {...SEVERITY_DISPLAY[severity]} />
        <Text element="h3" variant="h5">
          {`${rule}${drill ? ' (a drill)' : ''}`}
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
        <span className={late ? styles.late : styles.clock} role={open ? 'timer' : undefined}>
          {text}
        </span>
        <span className={styles.actions}>
          {open && (
            <ActionButton
              size="sm"
              icon="check"
              reasons={refused}
              onClick={() => onAnswer({ verb: 'acknowledge', incident })}
            >
              Acknowledge
            </ActionButton>
          )}
          {state !== 'closed' && (
            <ActionButton
              size="sm"
              variant="secondary"
              icon="times"
              reasons={refused}
              onClick={() => onAnswer({ verb: 'resolve', incident })}
            >
              Close
            </ActionButton>
          )}
        </span>
      </div>
      <p>{summary}</p>
      <DefinitionList of={incidentDetails(incident, now)} />
      {reasons.length > 0 && (
        <details open={open}>
          <summary>What the agent decided, and why</summary>
          <ul className={styles.reasons}>
            {reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </details>
      )}
      {times > 1 && (
        <span className={styles.weak}>{`${times} alerts, the last at ${formatTime(incident.seenAt)}`}</span>
      )}
    </article>
  )
}

function incidentDetails(incident: Incident, now: number): Array<readonly [string, React.ReactNode]> {
  const { openedAt, source, change, reading, rollback, environment, rollout } = incident
  const done = (by: Incident['closedBy'], at: string | null, note: string | null) =>
    `${by?.name ?? '–'}, ${formatTime(at)}${note ? `: ${note}` : ''}`
  return [
    ['Opened', `${formatTime(openedAt)}, by ${SOURCE_LABELS[source]}`],
    ...(change === null ? [] : [['About', change] as const]),
    ['The agent reads', reading === null ? 'nothing of this rule' : `${reading.state}: ${reading.sentence}`],
    [
      'Rolled back',
      rollback === null ? (
        'nothing'
      ) : rollback.operationId === null || rollout === null ? (
        `${rollback.scope}, ${formatTime(rollback.at)}`
      ) : (
        <TextLink href={routes.operation(environment, rollout, rollback.operationId)} inline={false}>
          {`${rollback.scope}, ${formatTime(rollback.at)}`}
        </TextLink>
      ),
    ],
    ['Called', escalationText(incident, now)],
    ...(incident.acknowledgedAt === null
      ? []
      : [
          [
            'Acknowledged by',
            done(incident.acknowledgedBy, incident.acknowledgedAt, incident.acknowledgedNote),
          ] as const,
        ]),
    ...(incident.closedAt === null
      ? []
      : [['Closed by', done(incident.closedBy, incident.closedAt, incident.closedNote)] as const]),
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
  clock: css({ fontVariantNumeric: 'tabular-nums' }),
  late: css({ color: theme.colors.error.text, fontVariantNumeric: 'tabular-nums' }),
  actions: css({ display: 'flex', gap: theme.spacing(1), marginInlineStart: 'auto' }),
  reasons: css({ margin: 0, paddingInlineStart: theme.spacing(2.5), overflowWrap: 'anywhere' }),
  weak: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
