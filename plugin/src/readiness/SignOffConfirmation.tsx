import { Field, Input, TextArea } from '@grafana/ui'
import React, { useMemo, useState } from 'react'
import { ConfirmationModal } from '../action/ConfirmationModal'
import { useSubmit } from '../action/useSubmit'
import { signOffItem } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { endOfDay, expiryDays } from './expiry'

/** A sign-off of an item, or its withdrawal. */
export interface SignOff {
  readonly item: string
  readonly subject: string
  readonly verb: 'Sign off' | 'Confirm'
  readonly withdraw: boolean
}

interface Props {
  signOff: SignOff
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** The confirmation of a sign-off with its note and expiry, or of its withdrawal with a reason. */
export function SignOffConfirmation({ signOff, environment, rollout, onDone, onClose }: Props) {
  const { item, subject, withdraw } = signOff
  const verb = withdraw ? 'Withdraw' : signOff.verb
  const days = useMemo(() => expiryDays(), [])
  const [note, setNote] = useState('')
  const [until, setUntil] = useState(days.default)
  const { busy, error, send } = useSubmit(
    () =>
      signOffItem(environment.agent, rollout, {
        item,
        note: note.trim(),
        withdraw,
        ...(withdraw ? {} : { expiresAt: endOfDay(until) }),
      }),
    onDone,
  )
  return (
    <ConfirmationModal
      title={`${verb}: ${subject}`}
      environment={environment}
      confirmLabel={verb}
      destructive={withdraw}
      disabledReason={disabledReason()}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>
        {withdraw
          ? 'The sign-off is no longer valid. It is kept in the record.'
          : 'Your name and the time are recorded, and every report shows them.'}
      </p>
      <Field label={withdraw ? 'Reason' : 'What was done and verified'} required>
        <TextArea
          id="sti-note"
          rows={3}
          maxLength={2000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
      </Field>
      {!withdraw && (
        <Field label="Valid until" description="End of the day in UTC, at most one year from now.">
          <Input
            id="sti-until"
            type="date"
            width={24}
            min={days.first}
            max={days.last}
            value={until}
            onChange={(event) => setUntil(event.currentTarget.value)}
          />
        </Field>
      )}
    </ConfirmationModal>
  )

  function disabledReason(): string | null {
    if (note.trim() === '') return withdraw ? 'Enter a reason.' : 'Enter what was done and verified.'
    if (!withdraw && !(until >= days.first && until <= days.last))
      return 'Select a day between tomorrow and one year from now.'
    return null
  }
}
