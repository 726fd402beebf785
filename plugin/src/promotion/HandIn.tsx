import { Alert, Box, Field, FileUpload, TextArea } from '@grafana/ui'
import React, { useState } from 'react'
import { Frame } from '../action/Frame'
import { useSend } from '../action/useSend'
import { promote } from '../agent/proofCalls'
import type { Environment } from '../agent/useEnvironment'
import { Pairs } from '../layout/Pairs'
import { clock } from '../words/numbers'
import { type HandedIn, readReport } from './handedIn'

interface Props {
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** Hands in the signed report of another environment. */
export function HandIn({ environment, rollout, onDone, onClose }: Props) {
  const [file, setFile] = useState<HandedIn | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSend(
    () =>
      promote(environment.agent, rollout, {
        environment: environment.name,
        report: file?.value,
        force: false,
        ...(reason.trim() ? { reason: reason.trim() } : {}),
      }),
    onDone,
  )
  const read = (chosen: File | undefined) => {
    setFile(null)
    setFault(null)
    chosen
      ?.text()
      .then((text) => setFile(readReport(text)))
      .catch((thrown: unknown) => setFault(thrown instanceof Error ? thrown.message : 'The file cannot be read.'))
  }
  return (
    <Frame
      title={`Hand in a report of ${rollout}`}
      environment={environment}
      verb="Hand in"
      destructive={false}
      missing={file ? null : 'Choose the report first.'}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>The report of the other environment, as it was downloaded as JSON. The agent checks who signed it.</p>
      <Field label="Report">
        <FileUpload
          accept="application/json,.json"
          size="sm"
          onFileUpload={({ currentTarget }) => read(currentTarget.files?.[0])}
        >
          Choose a file
        </FileUpload>
      </Field>
      <div aria-live="polite">
        {fault && (
          <Alert severity="error" title="This cannot be handed in">
            {fault}
          </Alert>
        )}
        {file && (
          <Box marginBottom={2}>
            <Pairs
              of={[
                ['Of', `${file.rollout} in ${file.environment}`],
                ['Validation', file.verdict ?? 'none'],
                ['Validated', clock(file.validatedAt)],
                ['Signature', file.signed ? 'is there' : 'is missing'],
              ]}
            />
          </Box>
        )}
      </div>
      <Field label="Reason" description="Optional.">
        <TextArea
          id="sti-reason"
          rows={2}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
      </Field>
    </Frame>
  )
}
