import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import React, { type ReactNode } from 'react'

/** The actions of a tab, at its top right. */
export function TabActions({ children }: { children: ReactNode }) {
  const styles = useStyles2(getStyles)
  return <div className={styles.line}>{children}</div>
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({ display: 'flex', flexWrap: 'wrap', justifyContent: 'flex-end', gap: theme.spacing(1) }),
})
