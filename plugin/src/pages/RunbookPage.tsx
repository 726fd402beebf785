import { css } from '@emotion/css'
import { type GrafanaTheme2, renderMarkdown } from '@grafana/data'
import { Text, useStyles2 } from '@grafana/ui'
import React, { useEffect, useMemo } from 'react'
import { useLocation } from 'react-router-dom'
import runbook from '../../../alerts/RUNBOOK.md'
import { withAppSubUrl, routes } from '../routes'
import { rewriteLinks, parseSections } from '../runbook/sections'
import { Page } from './Page'

/** The runbook of this version, which alerts link to; it is available without internet access. */
export function RunbookPage() {
  const styles = useStyles2(getStyles)
  const { hash } = useLocation()
  const [, ...sections] = useMemo(() => parseSections(runbook), [])
  useEffect(() => {
    const heading = hash === '' ? null : document.getElementById(decodeURIComponent(hash.slice(1)))
    heading?.scrollIntoView()
    heading?.focus()
  }, [hash])
  return (
    <Page title="Runbook" url={routes.runbook()} subTitle="For the on-call engineer">
      {sections.map(({ id, title, depth, body }) => (
        <section key={id} id={id} aria-label={title} tabIndex={-1} className={styles.section}>
          <Text element={depth === 2 ? 'h2' : 'h3'} variant={depth === 2 ? 'h3' : 'h5'}>
            {title}
          </Text>
          <div
            className={styles.body}
            // renderMarkdown sanitizes the HTML.
            dangerouslySetInnerHTML={{ __html: renderMarkdown(rewriteLinks(body, withAppSubUrl(routes.runbook()))) }}
          />
        </section>
      ))}
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  section: css({
    maxWidth: 900,
    marginBlockEnd: theme.spacing(3),
    // Below Grafana's top bar.
    scrollMarginTop: theme.spacing(8),
    padding: theme.spacing(1),
    borderRadius: theme.shape.radius.default,
    // Marks the section that an alert links to.
    '&:focus': { outline: `2px solid ${theme.colors.primary.border}` },
  }),
  body: css({
    marginBlockStart: theme.spacing(1),
    overflowWrap: 'anywhere',
    'p, ul, table': { marginBlockEnd: theme.spacing(1) },
    ul: { paddingInlineStart: theme.spacing(3) },
    'th, td': { padding: theme.spacing(0.5, 1), verticalAlign: 'top', textAlign: 'start' },
    a: { color: theme.colors.text.link },
  }),
})
