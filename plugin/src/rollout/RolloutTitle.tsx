import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { FlagStatus, RolloutStage } from '@sti-rollout/agent/contract'
import React from 'react'
import type { Environment } from '../agent/useEnvironment'
import { EnvironmentBadge } from './EnvironmentBadge'
import { FlagBadge } from './FlagBadge'
import { STAGE_DISPLAY } from './display'

interface Props {
  rollout: string
  /** The name of the environment in the URL. */
  name: string
  environment: Environment | null
  /** Several tables have no stage in common. */
  detail: { readonly stage?: RolloutStage; readonly flag: FlagStatus } | null
}

/** The heading of a rollout: its name, its environment (red in production), its stage, and the state of its flag. */
export function RolloutTitle({ rollout, name, environment, detail }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.line} role="group" aria-label={`${rollout} in ${name}`}>
      <h1 className={styles.heading}>{rollout}</h1>
      <EnvironmentBadge name={name} production={environment?.production ?? false} />
      {detail && (
        <>
          {detail.stage && (
            <Badge
              text={detail.stage}
              color={STAGE_DISPLAY[detail.stage].color}
              tooltip={STAGE_DISPLAY[detail.stage].description}
            />
          )}
          <FlagBadge flag={detail.flag} />
        </>
      )}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.25) }),
  heading: css({ margin: 0, overflowWrap: 'anywhere' }),
})
