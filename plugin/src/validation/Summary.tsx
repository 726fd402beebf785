import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { Validation } from '@sti-rollout/agent/contract'
import React from 'react'
import { ago, clock, percent, rows } from '../words/numbers'
import { VERDICTS } from './verdicts'

/** What the last validation came to, in one line. */
export function Summary({ validation, current }: { validation: Validation; current: boolean }) {
  const styles = useStyles2(getStyles)
  const { verdict, coverage, integrityScore, totalRows, endedAt, checksum } = validation
  return (
    <div className={styles.line}>
      <Badge text={verdict} color={VERDICTS[verdict]} />
      <span>
        Coverage <strong>{percent(coverage)}</strong>
      </span>
      <span>
        Integrity score <strong>{percent(integrityScore)}</strong>
      </span>
      <span>
        <strong>{rows(totalRows)}</strong> rows read
      </span>
      <span title={clock(endedAt)}>{endedAt ? `ended ${ago(endedAt)}` : 'still running'}</span>
      {checksum && <span className={styles.weak}>{`checksum ${checksum}`}</span>}
      {!current && <Badge color="orange" text="of an older rollout file" icon="exclamation-triangle" />}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 3) }),
  weak: css({ color: theme.colors.text.secondary, overflowWrap: 'anywhere' }),
})
