import type { ButtonProps } from '@grafana/ui'
import type {
  CheckResult,
  Operation,
  OperationAction,
  RolloutDetail,
  ValidationLayer,
} from '@sti-rollout/agent/contract'
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
  /** The layers that a validation can have here. */
  layers?: readonly ValidationLayer[]
  onStarted: (operation: Operation) => void
}

/** The button of an action that starts an operation, with its confirmation. */
export function OperationButton({ action, environment, detail, knownChecks, layers, onStarted, ...button }: Props) {
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
          layers={layers}
          onClose={() => setOpen(false)}
          onDone={onStarted}
        />
      )}
    </>
  )
}
