import React, { type ReactNode, useState } from 'react'
import { Frame } from './Frame'
import { ReasonField } from './ReasonField'
import { useSend } from './useSend'

interface Props {
  title: string
  environment: { name: string; production: boolean }
  verb: string
  says: ReactNode
  reason: 'optional' | 'required'
  destructive?: boolean
  /** What the text is called. */
  label?: string
  work: (reason: string) => Promise<unknown>
  onDone: () => void
  onClose: () => void
}

/** Asks before something that needs nothing but a reason. */
export function ReasonConfirmation({
  title,
  environment,
  verb,
  says,
  reason,
  destructive = false,
  label,
  work,
  onDone,
  onClose,
}: Props) {
  const [text, setText] = useState('')
  const { busy, error, send } = useSend(() => work(text.trim()), onDone)
  const required = reason === 'required'
  return (
    <Frame
      title={title}
      environment={environment}
      verb={verb}
      destructive={destructive}
      missing={required && text.trim() === '' ? 'Say why.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>{says}</p>
      <ReasonField label={label} required={required} value={text} onChange={setText} />
    </Frame>
  )
}
