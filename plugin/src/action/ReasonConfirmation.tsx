import React, { type ReactNode, useState } from 'react'
import { ConfirmationModal } from './ConfirmationModal'
import { ReasonField } from './ReasonField'
import { useSubmit } from './useSubmit'

interface Props {
  title: string
  environment: { name: string; production: boolean }
  confirmLabel: string
  description: ReactNode
  reason: 'optional' | 'required'
  destructive?: boolean
  /** The label of the text field. */
  label?: string
  submit: (reason: string) => Promise<unknown>
  onDone: () => void
  onClose: () => void
}

/** The confirmation of an action that needs nothing but a reason. */
export function ReasonConfirmation({
  title,
  environment,
  confirmLabel,
  description,
  reason,
  destructive = false,
  label,
  submit,
  onDone,
  onClose,
}: Props) {
  const [text, setText] = useState('')
  const { busy, error, send } = useSubmit(() => submit(text.trim()), onDone)
  const required = reason === 'required'
  return (
    <ConfirmationModal
      title={title}
      environment={environment}
      confirmLabel={confirmLabel}
      destructive={destructive}
      disabledReason={required && text.trim() === '' ? 'Enter a reason.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{description}</p>
      <ReasonField label={label} required={required} value={text} onChange={setText} />
    </ConfirmationModal>
  )
}
