import { Alert, Box, Field, FileUpload } from '@grafana/ui'
import React, { type ReactNode, useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { Pairs } from '../layout/Pairs'
import { Frame } from './Frame'
import { ReasonField } from './ReasonField'
import { useSend } from './useSend'

interface Props<T> {
  title: string
  environment: Environment
  verb: string
  says: ReactNode
  /** Of the field, and what is missing while nothing was chosen. */
  label: string
  missing: string
  /** Heads what `read` says against a file. */
  refusal: string
  /** @throws Error that says what is wrong with the text */
  read: (text: string) => T
  shows: (content: T) => ReadonlyArray<readonly [name: string, value: ReactNode]>
  /** `why` is empty where no reason was given. */
  work: (content: T, why: { reason?: string }) => Promise<unknown>
  onDone: () => void
  onClose: () => void
}

/** Asks for a JSON file and shows what it holds before it is sent. */
export function FileConfirmation<T>({ label, missing, refusal, read, says, shows, work, onDone, ...frame }: Props<T>) {
  const [content, setContent] = useState<T | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSend(async () => {
    if (content === null) throw new Error('No file was chosen.')
    await work(content, reason.trim() ? { reason: reason.trim() } : {})
  }, onDone)
  const choose = (chosen: File | undefined) => {
    setContent(null)
    setFault(null)
    chosen
      ?.text()
      .then((text) => setContent(read(text)))
      .catch((thrown: unknown) => setFault(thrown instanceof Error ? thrown.message : 'The file cannot be read.'))
  }
  return (
    <Frame
      {...frame}
      destructive={false}
      missing={content === null ? missing : null}
      busy={busy}
      error={error}
      onConfirm={send}
    >
      <p>{says}</p>
      <Field label={label}>
        <FileUpload
          accept="application/json,.json"
          size="sm"
          onFileUpload={({ currentTarget }) => choose(currentTarget.files?.[0])}
        >
          Choose a file
        </FileUpload>
      </Field>
      <div aria-live="polite">
        {fault && (
          <Alert severity="error" title={refusal}>
            {fault}
          </Alert>
        )}
        {content !== null && (
          <Box marginBottom={2}>
            <Pairs of={shows(content)} />
          </Box>
        )}
      </div>
      <ReasonField required={false} value={reason} onChange={setReason} />
    </Frame>
  )
}
