import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, TextLink, useStyles2 } from '@grafana/ui'
import type { RolloutSummary } from '@sti-rollout/agent/contract'
import React from 'react'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { routes } from '../routes'
import { EnvironmentBadge } from './EnvironmentBadge'
import { FlagBadge } from './FlagBadge'
import { STAGE_DISPLAY } from './display'

/** A rollout in one line: environment, name, stage, and flag. */
export function RolloutSummaryLine({
  environment,
  detail,
}: {
  environment: Pick<Environment, 'name' | 'production' | 'agent'>
  detail: RolloutSummary
}) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.line} role="group" aria-label={`${detail.rollout} in ${environment.name}`}>
      <TextLink href={routes.rollout(environmentPlace(environment), detail.rollout)} inline={false} weight="medium">
        {detail.rollout}
      </TextLink>
      <EnvironmentBadge name={environment.name} production={environment.production} />
      <Badge
        text={detail.stage}
        color={STAGE_DISPLAY[detail.stage].color}
        tooltip={STAGE_DISPLAY[detail.stage].description}
      />
      <FlagBadge flag={detail.flag} />
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(0.5, 1.25),
    fontVariantNumeric: 'tabular-nums',
  }),
})
