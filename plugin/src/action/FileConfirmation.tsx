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
  /** The label of the file field. */
  label: string
  /** The tooltip of the disabled button while no file is selected. */
  missingFileHint: string
  /** The title above the message of an error that `parse` throws. */
  parseErrorTitle: string
  /** @throws Error with a message for the person */
  parse: (text: string) => T
  summarize: (content: T) => ReadonlyArray<readonly [name: string, value: ReactNode]>
  /** `note` has no `reason` if the person gave none. */
  submit: (content: T, note: { reason?: string }) => Promise<unknown>
  onDone: () => void
  onClose: () => void
}

/** A confirmation with a JSON file, which shows a summary of the file before it is sent. */
export function FileConfirmation<T>({
  label,
  missingFileHint,
  parseErrorTitle,
  parse,
  description,
  summarize,
  submit,
  onDone,
  ...modal
}: Props<T>) {
  const [content, setContent] = useState<T | null>(null)
  const [parseError, setParseError] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSubmit(async () => {
    if (content === null) throw new Error('No file is selected.')
    await submit(content, reason.trim() ? { reason: reason.trim() } : {})
  }, onDone)
  const selectFile = (file: File | undefined) => {
    setContent(null)
    setParseError(null)
    file
      ?.text()
      .then((text) => setContent(parse(text)))
      .catch((thrown: unknown) => setParseError(thrown instanceof Error ? thrown.message : 'Cannot read the file.'))
  }
  return (
    <ConfirmationModal
      {...modal}
      destructive={false}
      disabledReason={content === null ? missingFileHint : null}
      busy={busy}
      error={error}
      onConfirm={send}
    >
      <p>{description}</p>
      <Field label={label}>
        <FileUpload
          accept="application/json,.json"
          size="sm"
          onFileUpload={({ currentTarget }) => selectFile(currentTarget.files?.[0])}
        >
          Choose file
        </FileUpload>
      </Field>
      <div aria-live="polite">
        {parseError && (
          <Alert severity="error" title={parseErrorTitle}>
            {parseError}
          </Alert>
        )}
        {content !== null && (
          <Box marginBottom={2}>
            <DefinitionList items={summarize(content)} />
          </Box>
        )}
      </div>
      <ReasonField required={false} value={reason} onChange={setReason} />
    </ConfirmationModal>
  )
}
