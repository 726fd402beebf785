import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Button, ClipboardButton, Stack, useStyles2 } from '@grafana/ui'
import React from 'react'
import { downloadFile } from '../evidence/download'
import { highlightSql } from './highlightSql'

interface Props {
  /** The heading, which also names the buttons for screen readers. */
  label: string
  text: string
  language: 'sql' | 'text'
  /** The file name of the download. */
  fileName: string
}

/** A text to read, copy, and download; SQL is highlighted. */
export function CodeBlock({ label, text, language, fileName }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.all}>
      <div className={styles.line}>
        <h3 className={styles.title}>{label}</h3>
        <Stack direction="row" gap={1}>
          <ClipboardButton size="sm" variant="secondary" icon="copy" getText={() => text} aria-label={`Copy ${label}`}>
            Copy
          </ClipboardButton>
          <Button
            size="sm"
            variant="secondary"
            icon="download-alt"
            aria-label={`Download ${label}`}
            onClick={() => downloadFile(text, 'text/plain;charset=utf-8', fileName)}
          >
            Download
          </Button>
        </Stack>
      </div>
      {/* A long text scrolls, so the keyboard has to reach it. */}
      <pre className={styles.code} tabIndex={0} aria-label={label}>
        {language === 'sql'
          ? highlightSql(text).map(({ kind, text: piece }, index) => (
              <span key={index} className={kind === 'plain' ? undefined : styles[kind]}>
                {piece}
              </span>
            ))
          : text}
      </pre>
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1), minWidth: 0 }),
  line: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(1),
  }),
  title: css({ margin: 0, minWidth: 0, overflowWrap: 'anywhere', fontSize: theme.typography.h6.fontSize }),
  code: css({
    maxHeight: theme.spacing(56),
    overflow: 'auto',
    margin: 0,
    padding: theme.spacing(1.5),
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
    // Grafana breaks words of code anywhere.
    wordBreak: 'normal',
    background: theme.colors.background.canvas,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    color: theme.colors.text.primary,
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  comment: css({ color: theme.colors.text.secondary, fontStyle: 'italic' }),
  string: css({ color: theme.colors.success.text }),
  number: css({ color: theme.colors.warning.text }),
  keyword: css({ color: theme.colors.primary.text, fontWeight: theme.typography.fontWeightMedium }),
})
