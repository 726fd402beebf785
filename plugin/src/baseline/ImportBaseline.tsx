import type { BaselineContent } from '@sti-rollout/agent/contract'
import { Alert, Box, Field, FileUpload, TextArea } from '@grafana/ui'
import React, { useState } from 'react'
import { Frame } from '../action/Frame'
import { useSend } from '../action/useSend'
import { importBaseline } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { Pairs } from '../layout/Pairs'
import { clock } from '../words/numbers'
import { readBaseline } from './imported'

interface Props {
  environment: Environment
  rollout: string
  onDone: () => void
  onClose: () => void
}

/** Takes in a baseline that was exported before: what is judged by it may become easier or harder. */
export function ImportBaseline({ environment, rollout, onDone, onClose }: Props) {
  const [content, setContent] = useState<BaselineContent | null>(null)
  const [fault, setFault] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const { busy, error, send } = useSend(async () => {
    if (!content) throw new Error('No file was chosen.')
    const why = reason.trim() ? { reason: reason.trim() } : {}
    await importBaseline(environment.agent, rollout, { content, oneRunOnly: false, ...why })
  }, onDone)
  const read = (chosen: File | undefined) => {
    setContent(null)
    setFault(null)
    chosen
      ?.text()
      .then((text) => setContent(readBaseline(text)))
      .catch((thrown: unknown) => setFault(thrown instanceof Error ? thrown.message : 'The file cannot be read.'))
  }
  return (
    <Frame
      title={`Import a baseline of ${rollout}`}
      environment={environment}
      verb="Import"
      destructive={false}
      missing={content ? null : 'Choose the file first.'}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <p>A file that was exported before. Later validations are judged by it, if it is the newest that can be used.</p>
      <Field label="File">
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
          <Alert severity="error" title="This cannot be imported">
            {fault}
          </Alert>
        )}
        {content && (
          <Box marginBottom={2}>
            <Pairs
              of={[
                ['Of', `${content.rollout} in ${content.environment}`],
                ['Release', content.release ?? '–'],
                ['From', clock(content.startedAt)],
                ['Until', clock(content.endedAt)],
                ['Signals', content.signals.length],
                ['Queries', content.queries.length],
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
