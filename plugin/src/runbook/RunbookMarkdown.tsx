import { css } from '@emotion/css'
import { type GrafanaTheme2, renderMarkdown } from '@grafana/data'
import { TextLink, useStyles2 } from '@grafana/ui'
import React, { Fragment, type ReactNode, useMemo } from 'react'
import { withAppSubUrl } from '../routes'
import { Command } from './Command'
import { fillCommand, isCommand, type RunbookTarget } from '@sti-rollout/agent/format/runbookCommand'
import { rewriteLinks } from './sections'

interface Props {
  markdown: string
  /** The address of this page, which links to its other sections begin with. */
  page: string
  target: RunbookTarget
}

/** A section of the runbook. Grafana renders and sanitizes the markdown; commands become blocks that can be copied. */
export function RunbookMarkdown({ markdown, page, target }: Props) {
  const styles = useStyles2(getStyles)
  const body = useMemo(
    () => new DOMParser().parseFromString(renderMarkdown(rewriteLinks(markdown, page)), 'text/html').body,
    [markdown, page],
  )
  return <div className={styles.body}>{renderChildren(body, target)}</div>
}

const renderChildren = (parent: Node, target: RunbookTarget): ReactNode[] =>
  [...parent.childNodes].map((node, index) => <Fragment key={index}>{renderNode(node, target)}</Fragment>)

/** The elements that the runbook uses; of any other element only the content is shown. */
function renderNode(node: Node, target: RunbookTarget): ReactNode {
  if (!(node instanceof Element)) return node.textContent
  const children = renderChildren(node, target)
  switch (node.tagName) {
    case 'CODE': {
      const code = node.textContent ?? ''
      return isCommand(code) ? <Command text={fillCommand(code, target)} /> : <code>{code}</code>
    }
    case 'A': {
      const href = node.getAttribute('href') ?? ''
      return /^https?:/.test(href) ? (
        <TextLink href={href} external>
          {node.textContent ?? href}
        </TextLink>
      ) : (
        <a href={withAppSubUrl(href)}>{children}</a>
      )
    }
    case 'TABLE':
      return (
        <div role="region" aria-label="Table" tabIndex={0} style={{ overflowX: 'auto' }}>
          <table>{children}</table>
        </div>
      )
    case 'P':
      return <p>{children}</p>
    case 'UL':
      return <ul>{children}</ul>
    case 'OL':
      return <ol>{children}</ol>
    case 'LI':
      return <li>{children}</li>
    case 'STRONG':
      return <strong>{children}</strong>
    case 'THEAD':
      return <thead>{children}</thead>
    case 'TBODY':
      return <tbody>{children}</tbody>
    case 'TR':
      return <tr>{children}</tr>
    case 'TH':
      return <th scope="col">{children}</th>
    case 'TD':
      return <td>{children}</td>
    default:
      return children
  }
}

const getStyles = (theme: GrafanaTheme2) => ({
  body: css({
    marginBlockStart: theme.spacing(1),
    'p, ul, ol, table': { marginBlockEnd: theme.spacing(1) },
    'ul, ol': { paddingInlineStart: theme.spacing(3) },
    'li + li': { marginBlockStart: theme.spacing(0.5) },
    table: { width: '100%', minWidth: 320, tableLayout: 'auto' },
    'th, td': {
      padding: theme.spacing(0.75, 1),
      verticalAlign: 'top',
      textAlign: 'start',
      borderBottom: `1px solid ${theme.colors.border.weak}`,
    },
    th: { color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightMedium },
    // The first column names a case in a few words: it never gets narrower than them.
    'td:first-child': { width: '26%', minWidth: 110, fontWeight: theme.typography.fontWeightMedium },
    code: { overflowWrap: 'anywhere', whiteSpace: 'normal' },
    a: { color: theme.colors.text.link, textDecoration: 'underline' },
  }),
})
