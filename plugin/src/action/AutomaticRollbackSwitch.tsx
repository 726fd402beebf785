import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { AutomaticRollback, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { formatTime } from '../formatTime'
import { AutomaticRollbackConfirmation } from './AutomaticRollbackConfirmation'
import { ActionButton } from './ActionButton'
import { refusalReasons } from './refusalReasons'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** Whether an alert may roll back by itself, who holds that and until when; and the switch. */
export function AutomaticRollbackSwitch({ environment, detail, refresh }: Props) {
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState(false)
  const { automaticRollback: state } = detail
  const verb = state.armed === false ? 'arm' : 'hold'
  return (
    <div className={styles.all} role="group" aria-label={`Automatic rollback of ${detail.rollout}`}>
      <AutomaticRollbackBadge state={state} />
      <ActionButton
        size="sm"
        variant="secondary"
        fill="text"
        reasons={refusalReasons(detail, 'automatic-rollback')}
        onClick={() => setOpen(true)}
      >
        {verb === 'arm' ? 'Arm' : 'Hold'}
      </ActionButton>
      {open && (
        <AutomaticRollbackConfirmation
          verb={verb}
          environment={environment}
          rollout={detail.rollout}
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false)
            refresh()
          }}
        />
      )}
    </div>
  )
}

/** In a few words how automatic rollback stands; the rest in its tooltip. */
export function AutomaticRollbackBadge({ state }: { state: AutomaticRollback }) {
  const { armed, scopes, pausedBy, pausedUntil, reason, pathLive } = state
  if (armed === null) return <Badge text="Auto rollback ?" color="orange" tooltip="The database was not read yet." />
  if (!armed)
    return (
      <Badge
        text={`Held by ${pausedBy ?? 'somebody'} until ${formatTime(pausedUntil)}`}
        color="orange"
        icon="pause"
        tooltip={`No alert rolls back until then. ${reason ?? ''}`}
      />
    )
  if (scopes.length === 0)
    return (
      <Badge text="No auto rollback" color="blue" tooltip="The rollout file allows no scope (automaticRollback)." />
    )
  return (
    <Badge
      text="Auto rollback armed"
      color={pathLive ? 'green' : 'blue'}
      icon="shield"
      tooltip={`An alert may take back by itself: ${scopes.join(', ')}. ${
        pathLive
          ? 'The path of the alerts is alive.'
          : 'The watchdog alert has not reached this agent lately: alerts may not either. Its own guard reads the signals.'
      }`}
    />
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'inline-flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5) }),
})
