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
  /** What the text is called. */
  label?: string
  submit: (reason: string) => Promise<unknown>
  onDone: () => void
  onClose: () => void
}

/** Asks before something that needs nothing but a reason. */
export function ReasonConfirmation({
  title,
  environment,
  confirmLabel: verb,
  description: says,
  reason,
  destructive = false,
  label,
  submit: work,
  onDone,
  onClose,
}: Props) {
  const [text, setText] = useState('')
  const { busy, error, send } = useSubmit(() => work(text.trim()), onDone)
  const required = reason === 'required'
  return (
    <ConfirmationModal
      title={title}
      environment={environment}
      confirmLabel={verb}
      destructive={destructive}
      disabledReason={required && text.trim() === '' ? 'Say why.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{says}</p>
      <ReasonField label={label} required={required} value={text} onChange={setText} />
    </ConfirmationModal>
  )
}
