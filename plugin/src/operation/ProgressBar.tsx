import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import { formatPercent } from '@sti-rollout/agent/format'
import React from 'react'

interface Props {
  ratio: number
  label: string
  waiting: boolean
}

/** The progress of an operation; orange while it waits. */
export function ProgressBar({ ratio, label, waiting }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <div
      className={styles.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(ratio * 100)}
      aria-valuetext={formatPercent(ratio)}
    >
      <div className={cx(styles.bar, waiting && styles.waiting)} style={{ width: `${ratio * 100}%` }} />
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  track: css({
    height: theme.spacing(1),
    width: '100%',
    borderRadius: theme.shape.radius.pill,
    overflow: 'hidden',
    background: theme.colors.border.medium,
  }),
  bar: css({
    height: '100%',
    background: theme.colors.primary.main,
    [theme.transitions.handleMotion('no-preference')]: { transition: 'width 0.5s linear' },
  }),
  waiting: css({ background: theme.colors.warning.main }),
})
