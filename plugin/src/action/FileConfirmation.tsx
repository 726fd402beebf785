import { Alert, Box, Field, FileUpload } from '@grafana/ui'
import React, { type ReactNode, useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { DefinitionList } from '../layout/DefinitionList'
import { ConfirmationModal } from './ConfirmationModal'
import { ReasonField } from './ReasonField'
import { useSubmit } from './useSubmit'

interface Props<T> {
  title: string
  environment: Environment
  confirmLabel: string
  description: ReactNode
  /** Of the field, and what is missing while nothing was chosen. */
  label: string
  missingFileHint: string
  /** Heads what `read` says against a file. */
  parseErrorTitle: string
  /** @throws Error that says what is wrong with the text */
  parse: (text: string) => T
  summarize: (content: T) => ReadonlyArray<readonly [name: string, value: ReactNode]>
  /** `why` is empty where no reason was given. */
  submit: (content: T, why: { reason?: string }) => Promise<unknown>
  onDone: () => void
  onClose: () => void
}

/** Asks for a JSON file and shows what it holds before it is sent. */
export function FileConfirmation<T>({
  label,
  missingFileHint: missing,
  parseErrorTitle: refusal,
  parse: read,
  description: says,
  summarize: shows,
  submit: work,
  onDone,
  ...frame
}: Props<T>) {
  const [content, setContent] = useState<T | null>(null)
  const [parseError, setFault] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSubmit(async () => {
    if (content === null) throw new Error('No file was chosen.')
    await work(content, reason.trim() ? { reason: reason.trim() } : {})
  }, onDone)
  const selectFile = (file: File | undefined) => {
    setContent(null)
    setFault(null)
    file
      ?.text()
      .then((text) => setContent(read(text)))
      .catch((thrown: unknown) => setFault(thrown instanceof Error ? thrown.message : 'The file cannot be read.'))
  }
  return (
    <ConfirmationModal
      {...frame}
      destructive={false}
      disabledReason={content === null ? missing : null}
      busy={busy}
      error={error}
      onConfirm={send}
    >
      <p>{says}</p>
      <Field label={label}>
        <FileUpload
          accept="application/json,.json"
          size="sm"
          onFileUpload={({ currentTarget }) => selectFile(currentTarget.files?.[0])}
        >
          Choose a file
        </FileUpload>
      </Field>
      <div aria-live="polite">
        {parseError && (
          <Alert severity="error" title={refusal}>
            {parseError}
          </Alert>
        )}
        {content !== null && (
          <Box marginBottom={2}>
            <DefinitionList of={shows(content)} />
          </Box>
        )}
      </div>
      <ReasonField required={false} value={reason} onChange={setReason} />
    </ConfirmationModal>
  )
}
