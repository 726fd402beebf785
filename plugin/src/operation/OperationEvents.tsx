import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, Text, useStyles2 } from '@grafana/ui'
import type { OperationEvent } from '@sti-rollout/agent/contract'
import React from 'react'
import { formatTime } from '../formatTime'

const WARNING_EVENT_KINDS: ReadonlySet<string> = new Set(['failed-row', 'throttled', 'error'])

interface Props {
  events: readonly OperationEvent[]
  live: boolean
  /** No more events follow, so nothing has to be connected. */
  ended: boolean
}

/** The events of an operation, newest first. */
export function OperationEvents({ events, live, ended }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <section aria-label="Events">
      <div className={styles.head}>
        <Text element="h3" variant="h5">
          Events
        </Text>
        {(live || !ended) && (
          <Badge
            color={live ? 'green' : 'orange'}
            text={live ? 'live' : 'not connected'}
            icon={live ? 'check' : 'sync'}
          />
        )}
      </div>
      {events.length === 0 && <p>No events yet.</p>}
      <ol className={styles.list}>
        {events.map((event) => (
          <li key={event.id} className={styles.row}>
            <time dateTime={event.at} className={styles.time}>
              {formatTime(event.at)}
            </time>
            <Badge color={WARNING_EVENT_KINDS.has(event.kind) ? 'orange' : 'blue'} text={event.kind} />
            <span className={styles.message}>
              {event.message}
              {event.reason && <span className={styles.reason}>{` “${event.reason}”`}</span>}
            </span>
            <span className={styles.actor}>{event.actor.name}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  head: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), marginBottom: theme.spacing(1) }),
  list: css({ listStyle: 'none', margin: 0, maxHeight: 480, overflow: 'auto' }),
  row: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'baseline',
    gap: theme.spacing(0.25, 1.5),
    padding: theme.spacing(0.5, 0),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  }),
  time: css({ color: theme.colors.text.secondary, fontVariantNumeric: 'tabular-nums', whiteSpace: 'nowrap' }),
  message: css({ flex: '1 1 20em', overflowWrap: 'anywhere' }),
  reason: css({ color: theme.colors.text.secondary }),
  actor: css({ color: theme.colors.text.secondary }),
})
