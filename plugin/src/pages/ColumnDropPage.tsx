import { Alert, EmptyState, LoadingPlaceholder } from '@grafana/ui'
import React, { useState } from 'react'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { OperationButton } from '../action/OperationButton'
import { refusalReasons } from '../action/refusalReasons'
import { getColumnDrop } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { ArchiveSection } from '../columnDrop/ArchiveSection'
import { PreparedColumnDropView } from '../columnDrop/PreparedColumnDropView'
import { UsageWatch } from '../columnDrop/UsageWatch'
import { TabActions } from '../layout/TabActions'
import { RunningOperationSection } from '../operation/RunningOperationSection'
import { LoadError } from '../rollout/LoadError'
import { useRolloutContext } from '../rollout/rolloutContext'
import { operationRevision } from '../rollout/useRollout'
import { formatTime } from '../formatTime'

/** The column drop: safety checks, the migration and its undo, the pull request, and the archive. */
export function ColumnDropPage() {
  const { name, rollout, environment, detail, refresh } = useRolloutContext()
  const [removingArchive, setRemovingArchive] = useState(false)
  const columnDropPoll = useSlowPolling(
    environment && `${name}/${rollout}`,
    (signal) => getColumnDrop((environment as Environment).agent, rollout, signal),
    // The stage changes when the migration drops or restores the columns.
    detail && `${operationRevision(detail)} ${detail.stage}`,
  )
  const columnDrop = columnDropPoll.data

  return (
    <>
      {environment && detail && (
        <TabActions>
          <OperationButton
            action="prepare-column-drop"
            variant="primary"
            environment={environment}
            detail={detail}
            onStarted={refresh}
          />
        </TabActions>
      )}
      <LoadError what="the column drop" poll={columnDropPoll} />
      {!columnDrop && environment && !columnDropPoll.error && <LoadingPlaceholder text="Loading…" />}
      {environment && detail && (
        <>
          <RunningOperationSection kind="column-drop" environment={environment} detail={detail} refresh={refresh} />
          <RunningOperationSection kind="archive-removal" environment={environment} detail={detail} refresh={refresh} />
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
          Preparing runs every safety check, archives the columns, and writes a migration, its undo, and a pull request.
          Your own migration tool drops the columns. Select “Prepare column drop” to start.
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
      {removingArchive && environment && (
        <OperationConfirmation
          action="remove-archive"
          environment={environment}
          rollout={rollout}
          onClose={() => setRemovingArchive(false)}
          onDone={refresh}
        />
      )}
    </>
  )
}
