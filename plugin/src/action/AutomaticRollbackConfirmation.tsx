import { Field, RadioButtonGroup } from '@grafana/ui'
import React, { useState } from 'react'
import { setAutomaticRollback } from '../agent/incidentCalls'
import type { Environment } from '../agent/useEnvironment'
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

interface Props {
  verb: 'hold' | 'arm'
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** Asks before automatic rollback is held, until when and why, or armed again. */
export function AutomaticRollbackConfirmation({ verb, environment, rollout, onDone, onClose }: Props) {
  const [hours, setHours] = useState(1)
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSubmit(
    () =>
      setAutomaticRollback(environment.agent, rollout, {
        environment: environment.name,
        armed: verb === 'arm',
        reason: reason.trim(),
        ...(verb === 'hold' ? { until: new Date(Date.now() + hours * 3_600_000).toISOString() } : {}),
      }),
    onDone,
  )
  const label = verb === 'hold' ? 'Hold' : 'Arm'
  return (
    <ConfirmationModal
      title={`${label} automatic rollback of ${rollout}`}
      environment={environment}
      confirmLabel={label}
      destructive={verb === 'hold'}
      disabledReason={reason.trim() === '' ? 'Say why.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>
        {verb === 'hold'
          ? 'Until then no alert and no guard rolls anything back. Alerts still open incidents. People can roll back as always.'
          : 'From now on an alert may roll back by itself what the rollout file allows.'}
      </p>
      {verb === 'hold' && (
        <Field label="For how long" description="Afterwards it arms itself.">
          <RadioButtonGroup options={PAUSE_OPTIONS_HOURS} value={hours} onChange={setHours} aria-label="For how long" />
        </Field>
      )}
      <ReasonField required value={reason} onChange={setReason} />
    </ConfirmationModal>
  )
}
