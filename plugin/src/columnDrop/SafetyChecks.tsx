import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import { acceptCheckCommand, allowsColumnDrop, type ColumnDropCheck } from '@sti-rollout/agent/contract'
import { formatDuration, formatQuantity } from '@sti-rollout/agent/format'
import React from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { VERDICT_COLORS } from '../validation/verdicts'
import { toSentence } from '../toSentence'

const COLUMNS = ['Verdict', 'Check', 'Duration'] as const

/** The safety checks with question, verdict, and evidence. */
export function SafetyChecks({ checks }: { checks: readonly ColumnDropCheck[] }) {
  const styles = useStyles2(getStyles)
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {checks.map((result) => (
          <tr key={result.check}>
            <td data-column={COLUMNS[0]}>
              <Badge text={result.verdict} color={VERDICT_COLORS[result.verdict]} />
              {result.accepted.length > 0 && allowsColumnDrop(result) && <Badge text="accepted" color="blue" />}
            </td>
            <td data-column={COLUMNS[1]}>
              <div className={styles.check}>
                <strong>{result.question}</strong>
                <div>{toSentence(result.evidence)}</div>
                {result.findings.length > 0 && (
                  <details>
                    <summary>{formatQuantity(result.findings.length, 'finding')}</summary>
                    <ul className={styles.findings}>
                      {result.findings.map((finding, index) => (
                        <li key={index}>{finding}</li>
                      ))}
                    </ul>
                  </details>
                )}
                {result.accepted.map(({ subject, reason, by, expiresAt }) => (
                  <div key={subject}>{`Accepted by ${by} until ${expiresAt.slice(0, 10)}: ${subject}. ${reason}`}</div>
                ))}
                {result.acceptable.length > 0 && (
                  <div>
                    An admin who knows that it is safe can accept it: <code>{acceptCheckCommand(result.check)}</code>
                  </div>
                )}
                <span className={styles.weak}>{result.check}</span>
              </div>
            </td>
            <td data-column={COLUMNS[2]}>{formatDuration(result.seconds)}</td>
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
