import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import React from 'react'
import type { IncidentReport } from './incidentReport'

/** What happened, what was done, whether users are protected, and what is left to do. */
export function IncidentSummary({ report: { happened, done, protection, left } }: { report: IncidentReport }) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.all}>
      <p>
        {happened}
        {done !== '' && <strong>{` ${done}`}</strong>}
      </p>
      {protection && <p className={styles[protection.tone]}>{protection.sentence}</p>}
      {left !== '' && <p>{left}</p>}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(0.5),
    overflowWrap: 'anywhere',
    p: { margin: 0 },
    strong: { fontWeight: theme.typography.fontWeightMedium },
  }),
  good: css({ color: theme.colors.success.text, fontWeight: theme.typography.fontWeightMedium }),
  bad: css({ color: theme.colors.error.text, fontWeight: theme.typography.fontWeightMedium }),
  neutral: css({}),
})
