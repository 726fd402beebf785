import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import React, { type ReactNode } from 'react'

/** Settings that most people leave at their recommended defaults, folded. */
export function AdvancedSettings({ children }: { children: ReactNode }) {
  const styles = useStyles2(getStyles)
  return (
    <details className={styles.all}>
      <summary>Advanced settings (the defaults are recommended)</summary>
      <div className={styles.fields}>{children}</div>
    </details>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ marginBlock: theme.spacing(1, 2), width: '100%' }),
  fields: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(2), marginBlockStart: theme.spacing(1.5) }),
})
