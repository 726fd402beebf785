import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Alert, EmptyState, LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useState } from 'react'
import { useParams } from 'react-router-dom'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { OperationButton } from '../action/OperationButton'
import { refusalReasons } from '../action/refusalReasons'
import { getColumnDrop } from '../agent/readinessCalls'
import { type Environment, useEnvironment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { ArchiveSection } from '../columnDrop/ArchiveSection'
import { PreparedColumnDropView } from '../columnDrop/PreparedColumnDropView'
import { UsageWatch } from '../columnDrop/UsageWatch'
import { withAppSubUrl, routes } from '../routes'
import { RunningOperationSection } from '../operation/RunningOperationSection'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { useRollout } from '../rollout/useRollout'
import { formatTime } from '../formatTime'
import { rolloutBreadcrumbs, Page } from './Page'

/** The column drop: safety checks, the migration and its undo, the pull request, and the archive. */
export function ColumnDropPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const [removingArchive, setRemovingArchive] = useState(false)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  // Load again when an operation starts or changes its state.
  const newest = detail?.operations[0]
  const columnDropPoll = usePolling(
    environment.data && `${name}/${rollout}/${newest ? `${newest.id}${newest.state}` : ''}`,
    (signal) => getColumnDrop((environment.data as Environment).agent, rollout, signal),
  )
  const columnDrop = columnDropPoll.data

  return (
    <Page
      title="Column drop"
      subTitle={`${rollout} in ${name}`}
      parents={rolloutBreadcrumbs(name, rollout)}
      actions={
        <>
          <LinkButton
            variant="secondary"
            size="sm"
            icon="clipboard-alt"
            href={withAppSubUrl(routes.readiness(name, rollout))}
          >
            Readiness
          </LinkButton>
          {environment.data && detail && (
            <OperationButton
              action="prepare-column-drop"
              variant="primary"
              environment={environment.data}
              detail={detail}
              onStarted={refresh}
            />
          )}
        </>
      }
    >
      <div className={styles.all}>
        <RolloutAlerts
          environment={environment.data}
          error={environment.error ?? error ?? columnDropPoll.error}
          failingSince={environment.failingSince ?? failingSince ?? columnDropPoll.failingSince}
        />
        {!columnDrop && !environment.error && !error && !columnDropPoll.error && <LoadingPlaceholder text="Loading…" />}
        {environment.data && detail && (
          <>
            <RunningOperationSection
              kind="column-drop"
              environment={environment.data}
              detail={detail}
              refresh={refresh}
            />
            <RunningOperationSection
              kind="archive-removal"
              environment={environment.data}
              detail={detail}
              refresh={refresh}
            />
          </>
        )}
        {columnDrop?.dropped && (
          <Alert
            severity="info"
            title={`The legacy columns were dropped: ${columnDrop.dropped.columns.join(', ')} (noticed at ${formatTime(columnDrop.dropped.noticedAt)})`}
          >
            {columnDrop.dropped.restore}
          </Alert>
        )}
        {columnDrop && columnDrop.last === null && (
          <EmptyState variant="not-found" message="No column drop has been prepared">
            Preparing runs every safety check, archives the columns, and writes a migration, its undo, and a pull
            request. Your own migration tool drops the columns. Select “Prepare column drop” to start.
          </EmptyState>
        )}
        {columnDrop && <PreparedColumnDropView drop={columnDrop} />}
        {columnDrop?.archive && detail && (
          <ArchiveSection
            archive={columnDrop.archive}
            reasons={refusalReasons(detail, 'remove-archive')}
            onRemove={() => setRemovingArchive(true)}
          />
        )}
        {columnDrop && <UsageWatch watch={columnDrop.watch} />}
        {removingArchive && environment.data && (
          <OperationConfirmation
            action="remove-archive"
            environment={environment.data}
            rollout={rollout}
            onClose={() => setRemovingArchive(false)}
            onDone={refresh}
          />
        )}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
})
