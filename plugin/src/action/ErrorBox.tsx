import { Alert } from '@grafana/ui'
import React from 'react'
import type { AgentError } from '../agent/AgentError'

const TITLE_BY_HOP = {
  grafana: 'Grafana refused the request',
  network: 'The agent does not respond',
  token: 'The agent refused the token',
  agent: 'The agent refused the request',
} as const

/** An error with its message and the reasons of a refusal. */
export function ErrorBox({ error, title }: { error: AgentError; title?: string }) {
  const reasons = error.reasons.filter((reason) => reason !== error.message)
  return (
    <Alert
      severity="error"
      title={title ?? (error.code === 'conflict' ? 'Another request came first' : TITLE_BY_HOP[error.hop])}
    >
      <div>{error.message}</div>
      {reasons.length > 0 && (
        <ul style={{ margin: 0, paddingInlineStart: '1.2em' }}>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </Alert>
  )
}
