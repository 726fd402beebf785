import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { OperationImpact } from '@sti-rollout/agent/contract'
import React from 'react'

/** What is lost, how it can be undone, and if writes are blocked: what a person must know before confirming. */
export function ImpactList({ impact: { lost, undo, writes } }: { impact: OperationImpact }) {
  const styles = useStyles2(getStyles)
  return (
    <dl className={styles.list} aria-label="Impact">
      <dt>Lost</dt>
      <dd>{lost}</dd>
      <dt>Undo</dt>
      <dd>{undo}</dd>
      <dt>Writes</dt>
      <dd>{writes}</dd>
    </dl>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    display: 'grid',
    gridTemplateColumns: 'auto minmax(0, 1fr)',
    gap: theme.spacing(0.25, 1.5),
    margin: 0,
    marginBlockEnd: theme.spacing(2),
    padding: theme.spacing(1, 1.5),
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.secondary,
    dt: { color: theme.colors.text.secondary, fontWeight: 'normal' },
    dd: { margin: 0 },
  }),
})
