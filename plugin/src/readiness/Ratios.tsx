import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { Readiness, ReadinessList } from '@sti-rollout/agent/contract'
import React from 'react'
import { ProgressBar } from '../operation/ProgressBar'
import { percent } from '../words/numbers'
import { countOf, LISTS, told } from './lists'

/** How far each list is. */
export function Ratios({ readiness: { ratios, items } }: { readiness: Readiness }) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.grid}>
      {(Object.keys(LISTS) as ReadinessList[]).map((list) => (
        <div key={list} className={styles.card} role="group" aria-label={LISTS[list]}>
          <div className={styles.name}>{LISTS[list]}</div>
          <strong className={styles.percent}>{percent(ratios[list])}</strong>
          <ProgressBar ratio={ratios[list]} label={LISTS[list]} waiting={ratios[list] < 1} />
          <span className={styles.name}>{told(countOf(items, list))}</span>
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
