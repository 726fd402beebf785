import { Alert } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import type { AgentError } from '../agent/AgentError'
import type { Environment } from '../agent/useEnvironment'
import { userLevel } from '../agent/userLevel'
import { formatTime } from '../formatTime'
import { OutageMeaning, useIsOnlySlow } from './AgentOutage'
import { formatFlagState } from './display'

interface Props {
  /** The name of the environment, also while no agent responds; null: unknown. */
  environmentName: string | null
  /** Null: not chosen yet. */
  rollout: string | null
  environment: Environment | null
  /** The latest answer; null: there was none yet. */
  detail: RolloutDetail | null
  error: AgentError | null
  failingSince: Date | null
  faults?: readonly string[]
}

/** Problems of a rollout: no response, the state of another environment, no right to act, an invalid rollout file. */
export function RolloutAlerts({ environment, detail, error, failingSince, faults = [], ...place }: Props) {
  const status = environment?.status
  const readOnlyReason =
    status && !status.you.mayAct && userLevel() !== 'viewer'
      ? (status.you.why ?? 'The agent only allows you to read.')
      : null
  return (
    <>
      {error && <NoResponse error={error} failingSince={failingSince} detail={detail} {...place} />}
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

function outageTitle(error: AgentError | null, failingSince: Date | null): string {
  const since = failingSince ? ` since ${formatTime(failingSince)}` : ''
  return error?.unreachable ? `The agent has not responded${since}` : `The rollout cannot be loaded${since}`
}

/** What it means for users that the agent does not respond, and what to do. */
function NoResponse({ error, failingSince, detail, environmentName, rollout }: Omit<Props, 'environment' | 'faults'>) {
  const isOnlySlow = useIsOnlySlow(error, failingSince, detail !== null)
  if (isOnlySlow && error && detail)
    return (
      <div role="status">{`${error.message} Trying again. This page shows the state of ${formatTime(detail.at)}.`}</div>
    )
  return (
    <Alert severity="error" title={outageTitle(error, failingSince)}>
      <p>{error?.message}</p>
      {detail && (
        <p>{`This page shows the state of ${formatTime(detail.at)}: ${detail.stage}, flag ${formatFlagState(detail.flag)}.`}</p>
      )}
      {error?.unreachable && <OutageMeaning environment={environmentName} rollout={rollout} />}
    </Alert>
  )
}
