import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Text, useStyles2 } from '@grafana/ui'
import React, { useEffect, useMemo } from 'react'
import { useLocation, useSearchParams } from 'react-router-dom'
import runbook from '../../../alerts/RUNBOOK.md'
import { routes } from '../routes'
import { RunbookMarkdown } from '../runbook/RunbookMarkdown'
import { parseSections } from '../runbook/sections'
import { TableOfContents } from '../runbook/TableOfContents'
import { Page } from './Page'

/** The runbook of this version, which alerts link to; it is available without internet access. */
export function RunbookPage() {
  const styles = useStyles2(getStyles)
  const { hash, search } = useLocation()
  const [parameters] = useSearchParams()
  const [, ...sections] = useMemo(() => parseSections(runbook), [])
  const target = { environment: parameters.get('environment'), rollout: parameters.get('rollout') }
  const current = hash === '' ? '' : decodeURIComponent(hash.slice(1))
  const page = `${routes.runbook()}${search}`
  useEffect(() => {
    const heading = current === '' ? null : document.getElementById(current)
    heading?.scrollIntoView()
    heading?.focus()
  }, [current])
  return (
    <Page
      title="Runbook"
      url={routes.runbook()}
      subTitle={
        target.environment === null
          ? 'For the on-call engineer. Opened from an incident, its commands name the environment and the rollout.'
          : `The commands are for ${target.rollout === null ? target.environment : `${target.rollout} in ${target.environment}`}.`
      }
    >
      <div className={styles.all}>
        <TableOfContents sections={sections} page={page} current={current} />
        <div className={styles.text}>
          {sections.map(({ id, title, depth, body }) => (
            <section key={id} id={id} aria-label={title} tabIndex={-1} className={styles.section}>
              <Text element={depth === 2 ? 'h2' : 'h3'} variant={depth === 2 ? 'h3' : 'h5'}>
                {title}
              </Text>
              <RunbookMarkdown markdown={body} page={page} target={target} />
            </section>
          ))}
        </div>
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    display: 'grid',
    gridTemplateColumns: 'minmax(0, 1fr)',
    gap: theme.spacing(2),
    alignItems: 'start',
    [theme.breakpoints.up('lg')]: { gridTemplateColumns: '250px minmax(0, 1fr)' },
  }),
  text: css({ minWidth: 0 }),
  section: css({
    maxWidth: 900,
    marginBlockEnd: theme.spacing(2),
    // Below Grafana's top bar.
    scrollMarginTop: theme.spacing(8),
    padding: theme.spacing(1),
    borderRadius: theme.shape.radius.default,
    // Marks the section that an alert links to.
    '&:focus': { outline: `2px solid ${theme.colors.primary.border}` },
  }),
})
