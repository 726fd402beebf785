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

/** What stands between this person and the rollout: no answer, a foreign database, no right to act, a fault of the file. */
export function RolloutAlerts({ environment, error, failingSince, faults = [] }: Props) {
  const status = environment?.status
  const readOnlyReason =
    status && !status.you.mayAct && userLevel() !== 'viewer'
      ? (status.you.why ?? 'The agent lets you read only.')
      : null
  return (
    <>
      {error && (
        <Alert
          severity={environment ? 'warning' : 'error'}
          title={failingSince ? `No answer since ${formatTime(failingSince)}` : 'No answer'}
        >
          {error.message}
          {environment && ' What you see is from before.'}
        </Alert>
      )}
      {status?.foreignState && (
        <Alert severity="error" title="The state in this database is not this environment’s">
          {status.foreignState}
        </Alert>
      )}
      {readOnlyReason && (
        <Alert severity="info" title="You may only read here">
          {readOnlyReason}
        </Alert>
      )}
      {faults.map((fault) => (
        <Alert key={fault} severity="error" title="This rollout cannot be operated">
          {fault}
        </Alert>
      ))}
    </>
  )
}
