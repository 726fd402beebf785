import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import { isEnded, type RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { RunningOperation } from '../operation/RunningOperation'
import { stepImperative } from '../stepper/display'
import { NextStep } from '../stepper/NextStep'
import { Stepper } from '../stepper/Stepper'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
  unreachable?: boolean
  /** The room is small, as in a panel below the banner of an incident: the steps have no facts. */
  compact?: boolean
}

/** Where a rollout is, what is running, and what to do next: on the overview and in the panel. */
export function RolloutCard({ environment, detail, refresh, unreachable, compact = false }: Props) {
  const styles = useStyles2(getStyles)
  const open = detail.operations.filter(({ state }) => !isEnded(state))
  const { next } = detail
  return (
    <div className={styles.all}>
      <Stepper {...detail} environment={environmentPlace(environment)} facts={!compact} />
      {open.map((operation) => (
        <RunningOperation
          key={operation.id}
          environment={environment}
          operation={operation}
          actions={detail.actions}
          onChanged={refresh}
        />
      ))}
      {open.some(({ id }) => id === detail.running?.id) && next !== null ? (
        <div className={styles.after}>{`Next step: ${stepImperative(next.step, detail.flag)}.`}</div>
      ) : (
        <NextStep environment={environment} detail={detail} refresh={refresh} unreachable={unreachable} />
      )}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2), minWidth: 0 }),
  after: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
