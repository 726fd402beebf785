import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import type { OperationKind, OperationPreview } from '@sti-rollout/agent/contract'
import { formatBytes, formatCount, formatDuration } from '@sti-rollout/agent/format'
import { Alert, useStyles2 } from '@grafana/ui'
import React from 'react'

/** The kinds whose duration depends on the table: without an estimate, the preview says so. */
const MEASURED_KINDS: ReadonlySet<OperationKind> = new Set([
  'backfill',
  'validation',
  'finalize',
  'rehearsal',
  'rollback',
  'column-drop',
])

/** The preview of an operation: estimates, notes, statements, and the reasons why the agent refuses it now. */
export function PreviewSummary({ preview }: { preview: OperationPreview }) {
  const styles = useStyles2(getStyles)
  const numbers = [
    preview.rows !== null && ['Rows to write', formatCount(preview.rows)],
    preview.estimatedSeconds !== null
      ? ['Duration', `about ${formatDuration(preview.estimatedSeconds)}`]
      : MEASURED_KINDS.has(preview.kind) && ['Duration', 'not measured yet'],
    preview.estimatedWalBytes !== null &&
      preview.estimatedWalBytes > 0 && ['WAL', `about ${formatBytes(preview.estimatedWalBytes)}`],
  ].filter((entry) => entry !== false)
  return (
    <div className={styles.all}>
      {numbers.length > 0 && (
        <dl className={styles.numbers}>
          {numbers.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {preview.estimateBasis && <div className={styles.basis}>{`Based on ${preview.estimateBasis}.`}</div>}
      {preview.notes.length > 0 && (
        <ul className={styles.notes}>
          {preview.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      {preview.warnings.length > 0 && (
        <Alert severity="warning" title="Before you confirm">
          <ul className={styles.notes}>
            {preview.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Alert>
      )}
      {preview.statements.length > 0 && (
        <details>
          <summary>
            {preview.statements.length === 1 ? '1 statement' : `${preview.statements.length} statements`}
          </summary>
          {/* A long statement scrolls, so the keyboard has to reach it. */}
          <pre className={styles.sql} tabIndex={0}>
            {preview.statements.join(';\n\n')}
          </pre>
        </details>
      )}
      {!preview.allowed && (
        <Alert severity="warning" title="The agent does not allow this operation now">
          <ul className={styles.notes}>
            {preview.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </Alert>
      )}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1.5), marginBlock: theme.spacing(1.5) }),
  numbers: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(1, 4),
    margin: 0,
    dt: { color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize, fontWeight: 'normal' },
    dd: { margin: 0, fontSize: theme.typography.h4.fontSize, fontWeight: theme.typography.fontWeightMedium },
  }),
  basis: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  notes: css({ margin: 0, paddingInlineStart: theme.spacing(2.5) }),
  sql: css({
    maxHeight: 180,
    overflow: 'auto',
    marginTop: theme.spacing(1),
    whiteSpace: 'pre-wrap',
    wordBreak: 'break-word',
  }),
})
