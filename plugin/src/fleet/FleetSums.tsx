import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import React from 'react'
import type { FleetMember } from './fleetMember'
import { fleetSums } from './sumFleet'

/** The sums of a fleet, and its worst members, as the agents read them. */
export function FleetSums({ rollout, members }: { rollout: string; members: readonly FleetMember[] }) {
  const styles = useStyles2(getStyles)
  return (
    <dl className={styles.grid} aria-label={`Sums of ${rollout}`}>
      {fleetSums(members).map(({ label, value, note, bad }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd className={cx(styles.value, bad && styles.bad)}>{value}</dd>
          {note !== '' && <dd className={styles.note}>{note}</dd>}
        </div>
      ))}
    </dl>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  grid: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fit, minmax(136px, 1fr))',
    gap: theme.spacing(1.5),
    margin: theme.spacing(1, 0, 1.5),
    fontVariantNumeric: 'tabular-nums',
    overflowWrap: 'anywhere',
    dt: {
      color: theme.colors.text.secondary,
      fontSize: theme.typography.bodySmall.fontSize,
      fontWeight: theme.typography.fontWeightRegular,
    },
    dd: { margin: 0 },
  }),
  value: css({ fontSize: theme.typography.h4.fontSize, fontWeight: theme.typography.fontWeightMedium }),
  bad: css({ color: theme.colors.error.text }),
  note: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
