import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { ClipboardButton, useStyles2 } from '@grafana/ui'
import React from 'react'

/** A command in a sentence, with a button that copies it. */
export function Command({ text }: { text: string }) {
  const styles = useStyles2(getStyles)
  return (
    <span className={styles.all}>
      <code>
        {text.split(' ').map((word, index) => (
          <React.Fragment key={index}>
            {index > 0 && ' '}
            <span className={styles.word}>{word}</span>
          </React.Fragment>
        ))}
      </code>
      <ClipboardButton
        size="sm"
        variant="secondary"
        fill="text"
        icon="copy"
        getText={() => text}
        aria-label={`Copy ${text}`}
        className={styles.button}
      />
    </span>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ overflowWrap: 'anywhere' }),
  // An option is never split at its hyphens.
  word: css({ display: 'inline-block', maxWidth: '100%' }),
  button: css({ height: theme.spacing(2.5), padding: theme.spacing(0, 0.5), verticalAlign: 'text-bottom' }),
})
