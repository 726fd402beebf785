import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { Readiness, ReadinessList } from '@sti-rollout/agent/contract'
import { formatPercent } from '@sti-rollout/agent/format'
import React from 'react'
import { ProgressBar } from '../operation/ProgressBar'
import { countItems, LIST_TITLES, formatReadinessCount } from './readinessLists'

/** The share of ready items of each list. */
export function ReadinessRatios({ readiness: { ratios, items } }: { readiness: Readiness }) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.grid}>
      {(Object.keys(LIST_TITLES) as ReadinessList[]).map((list) => (
        <div key={list} className={styles.card} role="group" aria-label={LIST_TITLES[list]}>
          <div className={styles.name}>{LIST_TITLES[list]}</div>
          <strong className={styles.percent}>{formatPercent(ratios[list])}</strong>
          <ProgressBar ratio={ratios[list]} label={LIST_TITLES[list]} waiting={ratios[list] < 1} />
          <span className={styles.name}>{formatReadinessCount(countItems(items, list))}</span>
        </div>
      ))}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  grid: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fit, minmax(min(150px, 45%), 1fr))',
    gap: theme.spacing(1.5),
  }),
  card: css({
    display: 'flex',
    flexDirection: 'column',
    justifyContent: 'space-between',
    gap: theme.spacing(0.5),
    padding: theme.spacing(1.5),
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.primary,
  }),
  name: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  percent: css({ fontSize: theme.typography.h3.fontSize, fontVariantNumeric: 'tabular-nums' }),
})
