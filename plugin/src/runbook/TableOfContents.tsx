import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import React from 'react'
import type { RunbookSection } from './sections'

interface Props {
  sections: readonly RunbookSection[]
  /** The address of this page. */
  page: string
  current: string
}

/** The sections of the runbook: beside it on wide screens, above it and folded on narrow ones. */
export function TableOfContents({ sections, page, current }: Props) {
  const styles = useStyles2(getStyles)
  const list = (
    <ul className={styles.list}>
      {sections.map(({ id, title, depth }) => (
        <li key={id} className={depth > 2 ? styles.entry : styles.chapter}>
          <a href={`${page}#${id}`} aria-current={id === current ? 'location' : undefined}>
            {title}
          </a>
        </li>
      ))}
    </ul>
  )
  return (
    <nav aria-label="Contents" className={styles.all}>
      <div className={styles.wide}>{list}</div>
      <details className={styles.narrow}>
        <summary>Contents</summary>
        {list}
      </details>
    </nav>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    [theme.breakpoints.up('lg')]: {
      position: 'sticky',
      top: theme.spacing(10),
      maxHeight: `calc(100vh - ${theme.spacing(14)})`,
      overflowY: 'auto',
    },
  }),
  wide: css({ [theme.breakpoints.down('lg')]: { display: 'none' } }),
  narrow: css({ [theme.breakpoints.up('lg')]: { display: 'none' } }),
  list: css({
    listStyle: 'none',
    margin: 0,
    fontSize: theme.typography.bodySmall.fontSize,
    a: { color: theme.colors.text.secondary, overflowWrap: 'anywhere' },
    'a:hover': { color: theme.colors.text.primary, textDecoration: 'underline' },
    'a[aria-current]': { color: theme.colors.text.maxContrast, fontWeight: theme.typography.fontWeightMedium },
  }),
  chapter: css({ paddingBlock: theme.spacing(0.25) }),
  entry: css({ paddingBlock: theme.spacing(0.125), paddingInlineStart: theme.spacing(1.5) }),
})
