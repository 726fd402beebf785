import { Alert, LoadingPlaceholder, Text } from '@grafana/ui'
import { operationTitle } from '@sti-rollout/agent/contract'
import React from 'react'
import { useParams } from 'react-router-dom'
import { getOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { OperationEvents } from '../operation/OperationEvents'
import { OPERATION_STATE_DISPLAY } from '../operation/display'
import { OperationParameters } from '../operation/OperationParameters'
import { RunningOperation } from '../operation/RunningOperation'
import { useOperationStream } from '../operation/useOperationStream'
import { FailedRows } from '../rollout/FailedRows'
import { LoadError } from '../rollout/LoadError'
import { useRolloutContext } from '../rollout/rolloutContext'
import { OperationCharts } from '../scene/OperationCharts'

/** One operation: progress, parameters, charts, failed rows, and live events. */
export function OperationPage() {
  const { id: idParam = '' } = useParams()
  const id = Number(idParam)
  const { name, environment, detail, refresh: refreshRollout } = useRolloutContext()
  // The rollout, which is polled anyway, has its latest operations.
  const listed = detail?.operations.find((candidate) => candidate.id === id) ?? null
  const operationPoll = usePolling(
    environment && detail && !listed && Number.isInteger(id) ? `${name}/${id}` : null,
    (signal) => getOperation((environment as Environment).agent, id, signal),
    (operation) =>
      operation && !OPERATION_STATE_DISPLAY[operation.state].ended ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS,
  )
  const stream = useOperationStream(environment?.agent ?? null, id)
  const operation = newestOperation(stream.operation, listed ?? operationPoll.data)
  const refresh = () => {
    operationPoll.refresh()
    refreshRollout()
  }

  return (
    <>
      <Text element="h2" variant="h4">
        {operation ? `${operationTitle(operation)} ${id}` : `Operation ${id}`}
      </Text>
      <LoadError what="the operation" poll={operationPoll} />
      {!operation && environment && !operationPoll.error && <LoadingPlaceholder text="Loading…" />}
      {environment && operation && (
        <>
          <RunningOperation
            environment={environment}
            operation={operation}
            actions={OPERATION_STATE_DISPLAY[operation.state].ended ? [] : (detail?.actions ?? [])}
            onChanged={refresh}
          />
          {operation.state === 'failed' && operation.error && (
            <Alert severity="error" title={`Failed: ${operation.errorCode ?? 'error'}`}>
              {operation.error}
            </Alert>
          )}
          <OperationParameters operation={operation} />
          {operation.kind === 'backfill' && (
            <OperationCharts uid={environment.agent.uid} environment={environment.name} operation={operation} />
          )}
          {detail && operation.kind === 'backfill' && (
            <FailedRows environment={environment} detail={detail} refresh={refresh} />
          )}
          <OperationEvents
            events={stream.events}
            live={stream.live}
            ended={OPERATION_STATE_DISPLAY[operation.state].ended}
          />
        </>
      )}
    </>
  )
}

/** The stream is about a second ahead of the poll; an operation that has ended does not start again. */
function newestOperation<T extends { state: keyof typeof OPERATION_STATE_DISPLAY }>(
  streamed: T | null,
  polled: T | null,
): T | null {
  if (!streamed || (polled && OPERATION_STATE_DISPLAY[polled.state].ended)) return polled
  return streamed
}
