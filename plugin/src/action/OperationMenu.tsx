import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Button, type ButtonProps, Toggletip, useStyles2 } from '@grafana/ui'
import {
  type CheckResult,
  OPERATION_ACTIONS,
  type Operation,
  type OperationAction,
  type RolloutDetail,
} from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { ActionButton } from './ActionButton'
import { OperationConfirmation } from './OperationConfirmation'
import { refusalReasons } from './refusalReasons'

interface Props extends Pick<ButtonProps, 'size' | 'variant'> {
  label: string
  actions: readonly OperationAction[]
  environment: Environment
  detail: Pick<RolloutDetail, 'rollout' | 'actions'>
  knownChecks?: readonly CheckResult[]
  onStarted: (operation: Operation) => void
}

/** A button that lists actions, each with what it does, or why the agent refuses it now. */
export function OperationMenu({ label, actions, environment, detail, knownChecks, onStarted, ...button }: Props) {
  const styles = useStyles2(getStyles)
  const [listed, setListed] = useState(false)
  const [chosen, setChosen] = useState<OperationAction | null>(null)
  const list = (
    <ul className={styles.list} aria-label={label}>
      {actions.map((action) => {
        const reasons = refusalReasons(detail, action)
        return (
          <li key={action} className={styles.entry}>
            <ActionButton
              action={action}
              reasons={reasons}
              className={styles.button}
              onClick={() => {
                setListed(false)
                setChosen(action)
              }}
            />
            <span className={styles.text}>{reasons[0] ?? OPERATION_ACTIONS[action].description}</span>
          </li>
        )
      })}
    </ul>
  )
  return (
    <>
      <Toggletip
        content={list}
        placement="bottom-end"
        fitContent
        closeButton={false}
        show={listed}
        onOpen={() => setListed(true)}
        onClose={() => setListed(false)}
      >
        <Button
          variant="secondary"
          size="sm"
          icon="angle-down"
          iconPlacement="right"
          {...button}
          aria-haspopup="dialog"
        >
          {label}
        </Button>
      </Toggletip>
      {chosen && (
        <OperationConfirmation
          action={chosen}
          environment={environment}
          rollout={detail.rollout}
          knownChecks={knownChecks}
          onClose={() => setChosen(null)}
          onDone={onStarted}
        />
      )}
    </>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  list: css({
    listStyle: 'none',
    margin: 0,
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1.5),
    width: 'min(560px, 84vw)',
    maxHeight: '70vh',
    overflowY: 'auto',
    // On a phone the list opens above the button, which leaves less room.
    [theme.breakpoints.down('sm')]: { maxHeight: '50vh' },
  }),
  entry: css({
    display: 'grid',
    gridTemplateColumns: '180px minmax(0, 1fr)',
    gap: theme.spacing(0.5, 1.5),
    alignItems: 'center',
    [theme.breakpoints.down('sm')]: { gridTemplateColumns: 'minmax(0, 1fr)' },
  }),
  button: css({ justifySelf: 'start' }),
  text: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
})
