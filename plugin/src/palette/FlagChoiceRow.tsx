import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { RolloutSummary } from '@sti-rollout/agent/contract'
import React from 'react'
import { ActionButton } from '../action/ActionButton'
import { missingRoleReasons } from '../agent/userLevel'
import type { Environment } from '../agent/useEnvironment'
import { RolloutSummaryLine } from '../rollout/RolloutSummaryLine'

export interface FlagChoice {
  readonly environment: Environment
  readonly summary: RolloutSummary
}

/** A flag and the button that turns it off. */
export function FlagChoiceRow({ choice, onChoose }: { choice: FlagChoice; onChoose: () => void }) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.row}>
      <RolloutSummaryLine environment={choice.environment} detail={choice.summary} />
      <ActionButton
        action="rollback-flag"
        size="md"
        variant={choice.summary.flag.enabled ? 'destructive' : 'secondary'}
        reasons={missingRoleReasons()}
        onClick={onChoose}
      />
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(1, 2),
    padding: theme.spacing(1.5, 0),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  }),
})
