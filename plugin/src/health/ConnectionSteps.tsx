import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Icon, type IconName, useStyles2 } from '@grafana/ui'
import React from 'react'
import type { ConnectionStep } from './checkAgentConnection'

const STEP_STATE_DISPLAY = {
  ok: { icon: 'check-circle', color: 'success' },
  warning: { icon: 'exclamation-triangle', color: 'warning' },
  broken: { icon: 'times-circle', color: 'error' },
  unknown: { icon: 'question-circle', color: null },
} as const satisfies Record<ConnectionStep['state'], { icon: IconName; color: 'success' | 'warning' | 'error' | null }>

/** The steps of a connection, each with its state. */
export function ConnectionSteps({ steps }: { steps: readonly ConnectionStep[] }) {
  const styles = useStyles2(getStyles)
  return (
    <ul className={styles.list}>
      {steps.map(({ name, state, detail }) => (
        <li key={name} className={styles.row}>
          <Icon name={STEP_STATE_DISPLAY[state].icon} className={cx(styles.icon, styles[state])} aria-label={state} />
          <span>{name}</span>
          <span className={state === 'broken' ? styles.broken : styles.detail}>{detail}</span>
        </li>
      ))}
    </ul>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({ listStyle: 'none', margin: 0, display: 'flex', flexDirection: 'column', gap: theme.spacing(0.5) }),
  row: css({ display: 'grid', gridTemplateColumns: 'auto 13em 1fr', gap: theme.spacing(1), alignItems: 'start' }),
  icon: css({ marginTop: theme.spacing(0.375) }),
  detail: css({ color: theme.colors.text.secondary, overflowWrap: 'anywhere' }),
  ok: css({ color: theme.colors.success.text }),
  warning: css({ color: theme.colors.warning.text }),
  broken: css({ color: theme.colors.error.text, overflowWrap: 'anywhere' }),
  unknown: css({ color: theme.colors.text.disabled }),
})
