import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Alert, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React from 'react'
import { useParams } from 'react-router-dom'
import { operation as askOperation } from '../agent/calls'
import { type Environment, useEnvironment } from '../agent/useEnvironment'
import { QUIET_MS, RUNNING_MS, usePolled } from '../agent/usePolled'
import { Events } from '../operation/Events'
import { LOOK, nameOf } from '../operation/look'
import { Parameters } from '../operation/Parameters'
import { RunningOperation } from '../operation/RunningOperation'
import { useEvents } from '../operation/useEvents'
import { FailedRows } from '../rollout/FailedRows'
import { Trouble } from '../rollout/Trouble'
import { useRollout } from '../rollout/useRollout'
import { OperationCharts } from '../scene/OperationCharts'
import { aboveRollout, Page } from './Page'

/** One operation: its events as they come, what it was asked to do, how it goes, what failed, who and why. */
export function OperationPage() {
  const { environment: name = '', rollout = '', id: text = '' } = useParams()
  const id = Number(text)
  const styles = useStyles2(getStyles)
  const environment = useEnvironment(name)
  const detail = useRollout(environment.data, rollout)
  const asked = usePolled(
    environment.data && Number.isInteger(id) ? `${name}/${id}` : null,
    (signal) => askOperation((environment.data as Environment).agent, id, signal),
    (operation) => (operation && !LOOK[operation.state].ended ? RUNNING_MS : QUIET_MS),
  )
  const stream = useEvents(environment.data?.agent ?? null, id)
  const operation = newer(stream.operation, asked.data)
  const refresh = () => {
    asked.refresh()
    detail.refresh()
  }

  return (
    <Page
      title={operation ? `${nameOf(operation)} ${id}` : `Operation ${id}`}
      subTitle={`${rollout} in ${name}`}
      above={aboveRollout(name, rollout)}
    >
      <div className={styles.all}>
        <Trouble
          environment={environment.data}
          error={environment.error ?? asked.error}
          failingSince={environment.failingSince ?? asked.failingSince}
        />
        {!operation && !environment.error && !asked.error && <LoadingPlaceholder text="Asking the agent…" />}
        {environment.data && operation && (
          <>
            <RunningOperation
              environment={environment.data}
              operation={operation}
              actions={LOOK[operation.state].ended ? [] : (detail.data?.actions ?? [])}
              onChanged={refresh}
            />
            {operation.state === 'failed' && operation.error && (
              <Alert severity="error" title={`Failed: ${operation.errorCode ?? 'error'}`}>
                {operation.error}
              </Alert>
            )}
            <Parameters operation={operation} />
            {operation.kind === 'backfill' && (
              <OperationCharts uid={environment.data.agent.uid} environment={name} operation={operation} />
            )}
            {detail.data && operation.kind === 'backfill' && (
              <FailedRows environment={environment.data} detail={detail.data} refresh={refresh} />
            )}
            <Events events={stream.events} live={stream.live} />
          </>
        )}
      </div>
    </Page>
  )
}

/** The stream is a second ahead of the poll while it lives; an operation that ended stays ended. */
function newer<T extends { state: keyof typeof LOOK }>(streamed: T | null, polled: T | null): T | null {
  if (!streamed || (polled && LOOK[polled.state].ended)) return polled
  return streamed
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2.5) }),
})
