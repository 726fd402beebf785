import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import React from 'react'

/** The environment as the agent reports it; production is red. */
export function EnvironmentBadge({ name, production }: { name: string; production: boolean }) {
  const styles = useStyles2(getStyles)
  return <span className={production ? styles.production : styles.other}>{name}</span>
}

const getStyles = (theme: GrafanaTheme2) => {
  const badge = {
    display: 'inline-block',
    padding: theme.spacing(0, 1),
    borderRadius: theme.shape.radius.default,
    fontSize: theme.typography.bodySmall.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
    lineHeight: theme.spacing(2.75),
    whiteSpace: 'nowrap',
  } as const
  return {
    production: css({ ...badge, background: theme.colors.error.main, color: theme.colors.error.contrastText }),
    other: css({
      ...badge,
      background: theme.colors.background.secondary,
      border: `1px solid ${theme.colors.border.medium}`,
    }),
  }
}
