import type { ButtonProps } from '@grafana/ui'
import type { CheckResult, Operation, OperationAction, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { ActionButton } from './ActionButton'
import { OperationConfirmation } from './OperationConfirmation'
import { refusalReasons } from './refusalReasons'

interface Props extends Pick<ButtonProps, 'variant' | 'icon' | 'size'> {
  action: OperationAction
  environment: Environment
  detail: Pick<RolloutDetail, 'rollout' | 'actions'>
  knownChecks?: readonly CheckResult[]
  onStarted: (operation: Operation) => void
}

/** The button of an action that starts an operation, with its confirmation. */
export function OperationButton({ action, environment, detail, knownChecks, onStarted, ...button }: Props) {
  const [open, setOpen] = useState(false)
  return (
    <>
      <ActionButton
        {...button}
        action={action}
        reasons={refusalReasons(detail, action)}
        onClick={() => setOpen(true)}
      />
      {open && (
        <OperationConfirmation
          action={action}
          environment={environment}
          rollout={detail.rollout}
          knownChecks={knownChecks}
          onClose={() => setOpen(false)}
          onDone={onStarted}
        />
      )}
    </>
  )
}
