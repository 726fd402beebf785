import { Field, RadioButtonGroup } from '@grafana/ui'
import React, { useState } from 'react'
import { setAutomaticRollback } from '../agent/incidentCalls'
import type { Environment } from '../agent/useEnvironment'
import { ACTIONS } from './actionCatalog'
import { ConfirmationModal } from './ConfirmationModal'
import { ReasonField } from './ReasonField'
import { useSubmit } from './useSubmit'

const PAUSE_OPTIONS_HOURS = [
  { value: 0.25, label: '15 min' },
  { value: 1, label: '1 h' },
  { value: 8, label: '8 h' },
  { value: 24, label: '24 h' },
  { value: 168, label: '7 days' },
]

/** The two buttons of automatic rollback, here and in the header; their names differ from those of an operation. */
export const AUTOMATIC_ROLLBACK_TEXTS = {
  pause: {
    label: ACTIONS['automatic-rollback'].label,
    description:
      'No alert and no guard rolls anything back during this time. Alerts still open incidents, and people can still roll back.',
  },
  resume: {
    label: 'Resume automatic rollback',
    description: 'Alerts can roll back automatically again, within the scopes that the rollout file allows.',
  },
} as const

interface Props {
  verb: keyof typeof AUTOMATIC_ROLLBACK_TEXTS
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** The confirmation before automatic rollback is paused, for how long and why, or resumed. */
export function AutomaticRollbackConfirmation({ verb, environment, rollout, onDone, onClose }: Props) {
  const [hours, setHours] = useState(1)
  const [reason, setReason] = useState('')
  const pauses = verb === 'pause'
  const { busy, error, send } = useSubmit(
    () =>
      setAutomaticRollback(environment.agent, rollout, {
        environment: environment.name,
        armed: !pauses,
        reason: reason.trim(),
        ...(pauses ? { until: new Date(Date.now() + hours * 3_600_000).toISOString() } : {}),
      }),
    onDone,
  )
  const { label, description } = AUTOMATIC_ROLLBACK_TEXTS[verb]
  return (
    <ConfirmationModal
      title={`${label} of ${rollout}`}
      environment={environment}
      confirmLabel={label}
      destructive={pauses}
      disabledReason={reason.trim() === '' ? 'Enter a reason.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{description}</p>
      {pauses && (
        <Field label="Duration" description="Automatic rollback resumes automatically afterwards.">
          <RadioButtonGroup options={PAUSE_OPTIONS_HOURS} value={hours} onChange={setHours} aria-label="Duration" />
        </Field>
      )}
      <ReasonField required value={reason} onChange={setReason} />
    </ConfirmationModal>
  )
}
