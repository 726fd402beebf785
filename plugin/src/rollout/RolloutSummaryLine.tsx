import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, LinkButton, TextLink, Tooltip, useStyles2 } from '@grafana/ui'
import type { RolloutSummary } from '@sti-rollout/agent/contract'
import { formatQuantity, formatValue } from '@sti-rollout/agent/format'
import React from 'react'
import type { Environment } from '../agent/useEnvironment'
import { withAppSubUrl, routes } from '../routes'
import { EnvironmentBadge } from './EnvironmentBadge'
import { flagWarning, formatFlagState, STAGE_DISPLAY } from './display'

/** A rollout in one line: environment, stage, coverage, flag, and problems. */
export function RolloutSummaryLine({ environment, detail }: { environment: Environment; detail: RolloutSummary }) {
  const styles = useStyles2(getStyles)
  const warning = flagWarning(detail.flag)
  return (
    <div className={styles.line} role="group" aria-label={`${detail.rollout} in ${environment.name}`}>
      <EnvironmentBadge name={environment.name} production={environment.production} />
      <TextLink href={routes.rollout(environment.name, detail.rollout)} inline={false} weight="medium">
        {detail.rollout}
      </TextLink>
      <Badge
        text={detail.stage}
        color={STAGE_DISPLAY[detail.stage].color}
        tooltip={STAGE_DISPLAY[detail.stage].description}
      />
      <span>
        Coverage <strong>{formatValue(detail.coverage, 'ratio')}</strong>
      </span>
      <span>
        Flag <strong>{formatFlagState(detail.flag)}</strong>
      </span>
      {detail.failedRows > 0 && <span className={styles.bad}>{formatQuantity(detail.failedRows, 'failed row')}</span>}
      {detail.openIncidents > 0 && (
        <LinkButton
          size="sm"
          variant="destructive"
          fill="outline"
          icon="bell"
          href={withAppSubUrl(routes.incidents(environment.name, detail.rollout))}
        >
          {formatQuantity(detail.openIncidents, 'open incident')}
        </LinkButton>
      )}
      {warning && (
        <Tooltip content={warning}>
          <button type="button" className={styles.warn}>
            {detail.flag.persisted ? 'Flag not propagated' : 'Flag off in memory only'}
          </button>
        </Tooltip>
      )}
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
  bad: css({ color: theme.colors.error.text }),
  warn: css({ all: 'unset', color: theme.colors.warning.text, cursor: 'help', textDecoration: 'underline dotted' }),
})
