import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { AutomaticRollback, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { formatTime } from '../formatTime'
import { ActionButton } from './ActionButton'
import { AUTOMATIC_ROLLBACK_TEXTS, AutomaticRollbackConfirmation } from './AutomaticRollbackConfirmation'
import { refusalReasons } from './refusalReasons'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The state of automatic rollback, and the button that pauses or resumes it. */
export function AutomaticRollbackSwitch({ environment, detail, refresh }: Props) {
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState(false)
  const { automaticRollback: state } = detail
  const verb = state.armed === false ? 'resume' : 'pause'
  return (
    <div className={styles.all} role="group" aria-label={`Automatic rollback of ${detail.rollout}`}>
      <AutomaticRollbackBadge state={state} />
      <ActionButton
        action="automatic-rollback"
        label={AUTOMATIC_ROLLBACK_TEXTS[verb].label}
        icon={verb === 'resume' ? 'play' : 'pause'}
        fill="text"
        reasons={refusalReasons(detail, 'automatic-rollback')}
        onClick={() => setOpen(true)}
      />
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

/** The state of automatic rollback in a few words, with the details in the tooltip. */
export function AutomaticRollbackBadge({ state }: { state: AutomaticRollback }) {
  const { armed, scopes, pausedBy, pausedUntil, reason, pathLive, pathStarting } = state
  if (armed === null)
    return (
      <Badge
        text="Automatic rollback unknown"
        color="orange"
        tooltip="The agent has not read its database since it started."
      />
    )
  if (!armed)
    return (
      <Badge
        text={`Paused until ${formatTime(pausedUntil)} by ${pausedBy ?? 'an unknown person'}`}
        color="orange"
        icon="pause"
        tooltip={`No alert triggers a rollback until then. ${reason ?? ''}`}
      />
    )
  if (scopes.length === 0)
    return (
      <Badge
        text="No automatic rollback"
        color="blue"
        tooltip="The rollout file does not allow any scope (automaticRollback)."
      />
    )
  return (
    <Badge
      text="Automatic rollback armed"
      color={pathLive ? 'green' : 'blue'}
      icon="shield"
      tooltip={`An alert can roll back automatically: ${scopes.join(', ')}. ${
        pathLive
          ? 'Alerts reach the agent.'
          : pathStarting
            ? 'The agent has just started and waits for the first watchdog alert, which is sent every minute.'
            : 'The watchdog alert has not reached this agent recently, so other alerts may not reach it either. The agent’s own guard still reads the signals.'
      }`}
    />
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'inline-flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5) }),
})
