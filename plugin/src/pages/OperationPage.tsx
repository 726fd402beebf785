import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Alert, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import { operationTitle } from '@sti-rollout/agent/contract'
import React from 'react'
import { useParams } from 'react-router-dom'
import { getOperation } from '../agent/rolloutCalls'
import { type Environment, useEnvironment } from '../agent/useEnvironment'
import { IDLE_POLL_INTERVAL_MS, ACTIVE_POLL_INTERVAL_MS, usePolling } from '../agent/usePolling'
import { OperationEvents } from '../operation/OperationEvents'
import { OPERATION_STATE_DISPLAY } from '../operation/display'
import { OperationParameters } from '../operation/OperationParameters'
import { RunningOperation } from '../operation/RunningOperation'
import { useOperationStream } from '../operation/useOperationStream'
import { FailedRows } from '../rollout/FailedRows'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { useRollout } from '../rollout/useRollout'
import { OperationCharts } from '../scene/OperationCharts'
import { rolloutBreadcrumbs, Page } from './Page'

/** One operation: progress, parameters, charts, failed rows, and live events. */
export function OperationPage() {
  const { environment: name = '', rollout = '', id: idParam = '' } = useParams()
  const id = Number(idParam)
  const styles = useStyles2(getStyles)
  const environment = useEnvironment(name)
  const detail = useRollout(environment.data, rollout)
  const operationPoll = usePolling(
    environment.data && Number.isInteger(id) ? `${name}/${id}` : null,
    (signal) => getOperation((environment.data as Environment).agent, id, signal),
    (operation) =>
      operation && !OPERATION_STATE_DISPLAY[operation.state].ended ? ACTIVE_POLL_INTERVAL_MS : IDLE_POLL_INTERVAL_MS,
  )
  const stream = useOperationStream(environment.data?.agent ?? null, id)
  const operation = newestOperation(stream.operation, operationPoll.data)
  const refresh = () => {
    operationPoll.refresh()
    detail.refresh()
  }

  return (
    <Page
      title={operation ? `${operationTitle(operation)} ${id}` : `Operation ${id}`}
      subTitle={`${rollout} in ${name}`}
      parents={rolloutBreadcrumbs(name, rollout)}
    >
      <div className={styles.all}>
        <RolloutAlerts
          environment={environment.data}
          error={environment.error ?? operationPoll.error}
          failingSince={environment.failingSince ?? operationPoll.failingSince}
        />
        {!operation && !environment.error && !operationPoll.error && <LoadingPlaceholder text="Loading…" />}
        {environment.data && operation && (
          <>
            <RunningOperation
              environment={environment.data}
              operation={operation}
              actions={OPERATION_STATE_DISPLAY[operation.state].ended ? [] : (detail.data?.actions ?? [])}
              onChanged={refresh}
            />
            {operation.state === 'failed' && operation.error && (
              <Alert severity="error" title={`Failed: ${operation.errorCode ?? 'error'}`}>
                {operation.error}
              </Alert>
            )}
            <OperationParameters operation={operation} />
            {operation.kind === 'backfill' && (
              <OperationCharts uid={environment.data.agent.uid} environment={name} operation={operation} />
            )}
            {detail.data && operation.kind === 'backfill' && (
              <FailedRows environment={environment.data} detail={detail.data} refresh={refresh} />
            )}
            <OperationEvents events={stream.events} live={stream.live} />
          </>
        )}
      </div>
    </Page>
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

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2.5) }),
})
