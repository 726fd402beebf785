import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Alert, EmptyState, LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useState } from 'react'
import { useParams } from 'react-router-dom'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import { getColumnDrop as askColumnDrop } from '../agent/readinessCalls'
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

/** The last step: what its safety checks found, the migration and its undo, the text of the pull request. */
export function ColumnDropPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState<'prepare-column-drop' | 'remove-archive' | null>(null)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  // Anew as soon as another operation is the newest, or it has another state.
  const newest = detail?.operations[0]
  const columnDropPoll = usePolling(
    environment.data && `${name}/${rollout}/${newest ? `${newest.id}${newest.state}` : ''}`,
    (signal) => askColumnDrop((environment.data as Environment).agent, rollout, signal),
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
          {detail && (
            <ActionButton
              size="sm"
              icon="file-alt"
              reasons={refusalReasons(detail, 'prepare-column-drop')}
              onClick={() => setOpen('prepare-column-drop')}
            >
              Prepare
            </ActionButton>
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
        {!columnDrop && !environment.error && !error && !columnDropPoll.error && (
          <LoadingPlaceholder text="Asking the agent…" />
        )}
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
            title={`${columnDrop.dropped.columns.join(', ')} are gone since ${formatTime(columnDrop.dropped.noticedAt)}`}
          >
            {columnDrop.dropped.restore}
          </Alert>
        )}
        {columnDrop && columnDrop.last === null && (
          <EmptyState variant="not-found" message="Nothing has been prepared yet">
            It asks every safety check, archives the columns, and writes a migration, its undo and a pull request. It
            drops nothing: your own migration tool does. Start it with “Prepare”.
          </EmptyState>
        )}
        {columnDrop && <PreparedColumnDropView drop={columnDrop} />}
        {columnDrop?.archive && detail && (
          <ArchiveSection
            archive={columnDrop.archive}
            reasons={refusalReasons(detail, 'remove-archive')}
            onRemove={() => setOpen('remove-archive')}
          />
        )}
        {columnDrop && <UsageWatch watch={columnDrop.watch} />}
        {open && environment.data && (
          <OperationConfirmation
            start={open}
            environment={environment.data}
            rollout={rollout}
            onClose={() => setOpen(null)}
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
