import { Alert } from '@grafana/ui'
import React from 'react'
import type { AgentError } from '../agent/AgentError'
import type { Environment } from '../agent/useEnvironment'
import { userLevel } from '../agent/userLevel'
import { formatTime } from '../formatTime'

interface Props {
  environment: Environment | null
  error: AgentError | null
  failingSince: Date | null
  faults?: readonly string[]
}

/** Problems of a rollout: no response, the state of another environment, no right to act, an invalid rollout file. */
export function RolloutAlerts({ environment, error, failingSince, faults = [] }: Props) {
  const status = environment?.status
  const readOnlyReason =
    status && !status.you.mayAct && userLevel() !== 'viewer'
      ? (status.you.why ?? 'The agent only allows you to read.')
      : null
  return (
    <>
      {error && (
        <Alert
          severity={environment ? 'warning' : 'error'}
          title={failingSince ? `No response since ${formatTime(failingSince)}` : 'No response'}
        >
          {error.message}
          {environment && ' This page shows the last known state.'}
        </Alert>
      )}
      {status?.foreignState && (
        <Alert severity="error" title="The database belongs to another environment">
          {status.foreignState}
        </Alert>
      )}
      {readOnlyReason && (
        <Alert severity="info" title="You have read-only access">
          {readOnlyReason}
        </Alert>
      )}
      {faults.map((fault) => (
        <Alert key={fault} severity="error" title="The rollout cannot be operated">
          {fault}
        </Alert>
      ))}
    </>
  )
}
