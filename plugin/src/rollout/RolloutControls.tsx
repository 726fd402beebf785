import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { useStyles2 } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import { ActionBar } from '../action/ActionBar'
import { AutomaticRollbackSwitch } from '../action/AutomaticRollbackSwitch'
import type { Environment } from '../agent/useEnvironment'
import { RunningOperation } from '../operation/RunningOperation'
import { RolloutSummaryLine } from './RolloutSummaryLine'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The action bar and the running operation, on the rollout page and in the panel. */
export function RolloutControls({ environment, detail, refresh }: Props) {
  const styles = useStyles2(getStyles)
  return (
    <div className={styles.all}>
      <div className={styles.line}>
        <div className={styles.facts}>
          <RolloutSummaryLine environment={environment} detail={detail} />
          <AutomaticRollbackSwitch environment={environment} detail={detail} refresh={refresh} />
        </div>
        <ActionBar environment={environment} detail={detail} onStarted={refresh} />
      </div>
      {detail.running ? (
        <RunningOperation
          environment={environment}
          operation={detail.running}
          actions={detail.actions}
          onChanged={refresh}
        />
      ) : (
        <div className={styles.quiet}>No operation is running.</div>
      )}
    </div>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1) }),
  line: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    justifyContent: 'space-between',
    gap: theme.spacing(1, 2),
  }),
  facts: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.25) }),
  quiet: css({ color: theme.colors.text.secondary }),
})
