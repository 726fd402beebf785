import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Stack, Text, useStyles2 } from '@grafana/ui'
import React, { type ReactNode } from 'react'

interface Props {
  title: string
  /** Next to the title. */
  state?: ReactNode
  /** At the end of the title line. */
  actions?: ReactNode
  children: ReactNode
}

/** A section of a page with its title, state, and actions. */
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
