import { Field, Input, TextArea } from '@grafana/ui'
import React, { useMemo, useState } from 'react'
import { ConfirmationModal } from '../action/ConfirmationModal'
import { useSubmit } from '../action/useSubmit'
import { signOffItem } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { endOfDay, expiryDays } from './expiry'

/** What is to be signed off, or taken back. */
export interface SignOff {
  readonly item: string
  readonly what: string
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

/** Asks what was done and seen, and until when that holds; or why it holds no longer. */
export function SignOffConfirmation({ signOff: wanted, environment, rollout, onDone, onClose }: Props) {
  const { item, what, withdraw } = wanted
  const verb = withdraw ? 'Withdraw' : wanted.verb
  const days = useMemo(() => expiryDays(), [])
  const [note, setNote] = useState('')
  const [until, setUntil] = useState(days.standard)
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
      title={`${verb}: ${what}`}
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
          ? 'It counts no longer. What was signed stays in the record.'
          : 'Your name and the time are kept with it, and every report shows them.'}
      </p>
      <Field label={withdraw ? 'Why' : 'What was done and seen'} required>
        <TextArea
          id="sti-note"
          rows={3}
          maxLength={2000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
      </Field>
      {!withdraw && (
        <Field label="Holds until" description="The end of this day, UTC; at most a year.">
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
    if (note.trim() === '') return withdraw ? 'Say why.' : 'Say what was done and seen.'
    if (!withdraw && !(until >= days.first && until <= days.last)) return 'Choose a day from tomorrow, within a year.'
    return null
  }
}
