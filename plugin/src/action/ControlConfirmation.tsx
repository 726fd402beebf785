import type { Operation } from '@sti-rollout/agent/contract'
import React from 'react'
import { controlOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { operationTitle } from '../operation/display'
import { ReasonConfirmation } from './ReasonConfirmation'
import { TuneConfirmation } from './TuneConfirmation'

/** What can be done with an operation that has not ended. */
export const CONTROLS = {
  pause: { label: 'Pause', icon: 'pause', says: 'It stops at the next safe point. Nothing is lost.' },
  resume: { label: 'Resume', icon: 'play', says: 'It goes on where it stands.' },
  tune: { label: 'Tune', icon: 'sliders-v-alt', says: 'Changes how much one batch takes, while it runs.' },
  cancel: { label: 'Cancel', icon: 'times', says: 'It ends at the next safe point. What was done stays.' },
} as const

export type Control = keyof typeof CONTROLS

interface Props {
  verb: Control
  environment: Environment
  operation: Operation
  onDone: () => void
  onClose: () => void
}

/** Asks before a running operation is paused, resumed, tuned or cancelled. */
export function ControlConfirmation({ verb, environment, operation, onDone, onClose }: Props) {
  if (verb === 'tune') return <TuneConfirmation {...{ environment, operation, onDone, onClose }} />
  const { label, says } = CONTROLS[verb]
  return (
    <ReasonConfirmation
      title={`${label} ${operationTitle(operation)} ${operation.id} of ${operation.rollout}`}
      environment={environment}
      confirmLabel={label}
      description={says}
      reason="optional"
      destructive={verb === 'cancel'}
      submit={(reason) => controlOperation(environment.agent, operation.id, verb, reason || undefined)}
      onDone={onDone}
      onClose={onClose}
    />
  )
}
