import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import React, { type ReactNode } from 'react'

interface Props {
  columns: readonly string[]
  /** One or more `tbody`; each `td` has its column in `data-column` for narrow screens. */
  children: ReactNode
}

/** A table on wide screens, one card per row on narrow screens. */
export function ResponsiveTable({ columns, children }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      {children}
    </table>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  table: css({
    width: '100%',
    fontVariantNumeric: 'tabular-nums',
    'th, td': { padding: theme.spacing(1), textAlign: 'start', verticalAlign: 'middle' },
    'thead th': {
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
      fontWeight: theme.typography.fontWeightMedium,
      borderBottom: `1px solid ${theme.colors.border.medium}`,
    },
    'tbody tr': { borderBottom: `1px solid ${theme.colors.border.weak}` },
    [theme.breakpoints.down('md')]: {
      thead: { display: 'none' },
      'tr, td': { display: 'block' },
      'tbody tr': { padding: theme.spacing(1, 0) },
      td: { display: 'flex', gap: theme.spacing(1), padding: theme.spacing(0.25, 1), overflowWrap: 'anywhere' },
      'td[data-column]::before': {
        content: 'attr(data-column)',
        flex: '0 0 9em',
        color: theme.colors.text.secondary,
      },
    },
  }),
})
