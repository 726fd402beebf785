import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Tooltip, useStyles2 } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import { formatTime } from '../formatTime'
import { flagVital, toVital } from './vitalSign'

/** The readings that say if users, the database, and the rows are well, each with its limit, as the agent read them. */
export function VitalSigns({ detail }: { detail: Pick<RolloutDetail, 'vitals' | 'flag' | 'at' | 'validation'> }) {
  const styles = useStyles2(getStyles)
  const vitals = [...detail.vitals.map((sign) => toVital(sign, detail.validation)), flagVital(detail.flag)]
  return (
    <section aria-label="Vital signs" className={styles.all}>
      <dl className={styles.grid}>
        {vitals.map(({ label, value, note, tone, detail: why }) => {
          const entry = (
            <div key={label} className={styles.vital} tabIndex={why === null ? undefined : 0}>
              <dt className={styles.label}>{label}</dt>
              <dd className={cx(styles.value, tone === 'bad' && styles.bad)}>{value}</dd>
              <dd className={cx(styles.note, styles[tone])}>{note}</dd>
            </div>
          )
          return why === null ? (
            entry
          ) : (
            <Tooltip key={label} content={why}>
              {entry}
            </Tooltip>
          )
        })}
      </dl>
      <div className={styles.time}>{`As of ${formatTime(detail.at)}, read by the agent.`}</div>
    </section>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    padding: theme.spacing(1.5, 2),
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.primary,
  }),
  grid: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fit, minmax(132px, 1fr))',
    gap: theme.spacing(1.5),
    margin: 0,
    fontVariantNumeric: 'tabular-nums',
  }),
  vital: css({ minWidth: 0, overflowWrap: 'anywhere' }),
  label: css({
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightRegular,
  }),
  value: css({ margin: 0, fontSize: theme.typography.h4.fontSize, fontWeight: theme.typography.fontWeightMedium }),
  note: css({ margin: 0, fontSize: theme.typography.bodySmall.fontSize }),
  good: css({ color: theme.colors.success.text }),
  bad: css({ color: theme.colors.error.text }),
  unknown: css({ color: theme.colors.text.secondary }),
  time: css({
    marginBlockStart: theme.spacing(1),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
})
