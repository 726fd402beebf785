import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Stack, Text, useStyles2 } from '@grafana/ui'
import React, { type ReactNode } from 'react'

interface Props {
  title: string
  /** Beside the title: how it stands. */
  state?: ReactNode
  /** At the end of the line: what may be done. */
  actions?: ReactNode
  children: ReactNode
}

/** A part of a page: its title, how it stands, what may be done with it. */
export function Section({ title, state, actions, children }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <section aria-label={title} className={styles.all}>
      <div className={styles.line}>
        <Text element="h2" variant="h4">
          {title}
        </Text>
        {state}
        {actions && (
          <div className={styles.actions}>
            <Stack direction="row" wrap="wrap" gap={1}>
              {actions}
            </Stack>
          </div>
        )}
      </div>
      {children}
    </section>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1.5),
    padding: theme.spacing(2),
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    background: theme.colors.background.primary,
    minWidth: 0,
    p: { margin: 0 },
  }),
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(1, 1.5) }),
  actions: css({ marginInlineStart: 'auto' }),
})
