import { Alert } from '@grafana/ui'
import React from 'react'
import { AgentError, OPERATION_NOT_SUCCEEDED } from '../agent/AgentError'
import { BulletList } from '../layout/BulletList'

const TITLE_BY_HOP = {
  grafana: 'Grafana refused the request',
  network: 'The agent does not respond',
  token: 'The agent refused the token',
  agent: 'The agent refused the request',
} as const

const TITLE_BY_CODE: Readonly<Record<string, string>> = {
  conflict: 'Another request came first',
  [OPERATION_NOT_SUCCEEDED]: 'The operation did not succeed',
}

/** An error with its message and the reasons of a refusal; the message alone if no request failed. */
export function ErrorBox({ error, title }: { error: Error; title?: string }) {
  if (!(error instanceof AgentError)) return <Alert severity="error" title={error.message} />
  const reasons = error.reasons.filter((reason) => reason !== error.message)
  return (
    <Alert severity="error" title={title ?? TITLE_BY_CODE[error.code ?? ''] ?? TITLE_BY_HOP[error.hop]}>
      <div>{error.message}</div>
      {reasons.length > 0 && (
        <BulletList>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </BulletList>
      )}
    </Alert>
  )
}
