import React, { type ReactNode, useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { Frame } from './Frame'
import { ReasonField } from './ReasonField'
import { useSend } from './useSend'

interface Props {
  title: string
  environment: Environment
  verb: string
  says: ReactNode
  reason: 'optional' | 'required'
  destructive?: boolean
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
      <ReasonField required={required} value={text} onChange={setText} />
    </Frame>
  )
}
