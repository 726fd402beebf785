import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { ColumnDropCheck } from '@sti-rollout/agent/contract'
import { formatDuration, formatQuantity } from '@sti-rollout/agent/format'
import React from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { VERDICT_COLORS } from '../validation/verdicts'

const COLUMNS = ['Verdict', 'Check', 'Duration'] as const

/** The safety checks with question, verdict, and evidence. */
export function SafetyChecks({ checks }: { checks: readonly ColumnDropCheck[] }) {
  const styles = useStyles2(getStyles)
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {checks.map(({ check, question, verdict, evidence, findings, seconds }) => (
          <tr key={check}>
            <td data-column={COLUMNS[0]}>
              <Badge text={verdict} color={VERDICT_COLORS[verdict]} />
            </td>
            <td data-column={COLUMNS[1]}>
              <div className={styles.check}>
                <strong>{question}</strong>
                <div>{`${evidence.charAt(0).toUpperCase()}${evidence.slice(1)}.`}</div>
                {findings.length > 0 && (
                  <details>
                    <summary>{formatQuantity(findings.length, 'finding')}</summary>
                    <ul className={styles.findings}>
                      {findings.map((finding, index) => (
                        <li key={index}>{finding}</li>
                      ))}
                    </ul>
                  </details>
                )}
                <span className={styles.weak}>{check}</span>
              </div>
            </td>
            <td data-column={COLUMNS[2]}>{formatDuration(seconds)}</td>
          </tr>
        ))}
      </tbody>
    </ResponsiveTable>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  check: css({ maxWidth: '90ch', minWidth: 0, overflowWrap: 'anywhere' }),
  weak: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
  findings: css({ paddingInlineStart: theme.spacing(2.5), fontSize: theme.typography.bodySmall.fontSize }),
})
