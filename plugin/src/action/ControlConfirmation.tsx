import { operationTitle, type Operation } from '@sti-rollout/agent/contract'
import React from 'react'
import { controlOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { ACTIONS } from './actionCatalog'
import { ReasonConfirmation } from './ReasonConfirmation'
import { TuneConfirmation } from './TuneConfirmation'

/** The actions on an operation that has not ended, in the order of their buttons. */
export const CONTROLS = ['pause', 'resume', 'tune', 'cancel'] as const
export type Control = (typeof CONTROLS)[number]

const CONTROL_TEXTS = {
  pause: { verb: 'Pause', description: 'The operation pauses at the next safe point. Nothing is lost.' },
  resume: { verb: 'Resume', description: 'The operation continues from where it paused.' },
  cancel: {
    verb: 'Cancel',
    description: 'The operation ends at the next safe point and cannot be resumed. Completed work is kept.',
  },
} as const satisfies Record<Exclude<Control, 'tune'>, { verb: string; description: string }>

interface Props {
  control: Control
  environment: Environment
  operation: Operation
  onDone: () => void
  onClose: () => void
}

/** The confirmation before an operation is paused, resumed, tuned, or cancelled. */
export function ControlConfirmation({ control, environment, operation, onDone, onClose }: Props) {
  if (control === 'tune')
    return <TuneConfirmation environment={environment} operation={operation} onDone={onDone} onClose={onClose} />
  const { verb, description } = CONTROL_TEXTS[control]
  return (
    <ReasonConfirmation
      title={`${verb} ${operationTitle(operation)} ${operation.id} of ${operation.rollout}`}
      environment={environment}
      confirmLabel={ACTIONS[control].label}
      description={description}
      reason="optional"
      destructive={ACTIONS[control].destructive}
      submit={(reason) => controlOperation(environment.agent, operation.id, control, reason || undefined)}
      onDone={onDone}
      onClose={onClose}
    />
  )
}
