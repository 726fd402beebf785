import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { Validation } from '@sti-rollout/agent/contract'
import { formatAgo, formatValue } from '@sti-rollout/agent/format'
import React from 'react'
import { formatTime } from '../formatTime'
import { VERDICT_COLORS } from './verdicts'

/** The latest validation in one line. */
export function ValidationSummaryLine({ validation, current }: { validation: Validation; current: boolean }) {
  const styles = useStyles2(getStyles)
  const { verdict, coverage, integrityScore, totalRows, endedAt, checksum } = validation
  return (
    <div className={styles.line}>
      <Badge text={verdict} color={VERDICT_COLORS[verdict]} />
      <span>
        Coverage <strong>{formatValue(coverage, 'ratio')}</strong>
      </span>
      <span>
        Integrity score <strong>{formatValue(integrityScore, 'ratio')}</strong>
      </span>
      <span>
        <strong>{formatValue(totalRows, 'count')}</strong> rows read
      </span>
      <span title={formatTime(endedAt)}>{endedAt ? `ended ${formatAgo(endedAt)}` : 'running'}</span>
      {checksum && <span className={styles.weak}>{`checksum ${checksum}`}</span>}
      {!current && <Badge color="orange" text="older rollout file" icon="exclamation-triangle" />}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 3) }),
  weak: css({ color: theme.colors.text.secondary, overflowWrap: 'anywhere' }),
})
