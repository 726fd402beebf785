import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Alert, EmptyState, LinkButton, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import React, { useState } from 'react'
import { useParams } from 'react-router-dom'
import { Confirmation } from '../action/Confirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import { columnDrop as askColumnDrop } from '../agent/proofCalls'
import { type Environment, useEnvironment } from '../agent/useEnvironment'
import { usePolled } from '../agent/usePolled'
import { Archive } from '../columnDrop/Archive'
import { Prepared } from '../columnDrop/Prepared'
import { Watch } from '../columnDrop/Watch'
import { href, to } from '../ids'
import { RunningOfKind } from '../operation/RunningOfKind'
import { Trouble } from '../rollout/Trouble'
import { useRollout } from '../rollout/useRollout'
import { clock } from '../words/numbers'
import { aboveRollout, Page } from './Page'

/** The last step: what its safety checks found, the migration and its undo, the text of the pull request. */
export function ColumnDropPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const [open, setOpen] = useState<'prepare-column-drop' | 'remove-archive' | null>(null)
  const environment = useEnvironment(name)
  const { data: detail, error, failingSince, refresh } = useRollout(environment.data, rollout)
  // Anew as soon as another operation is the newest, or it has another state.
  const newest = detail?.operations[0]
  const asked = usePolled(
    environment.data && `${name}/${rollout}/${newest ? `${newest.id}${newest.state}` : ''}`,
    (signal) => askColumnDrop((environment.data as Environment).agent, rollout, signal),
  )
  const drop = asked.data

  return (
    <Page
      title="Column drop"
      subTitle={`${rollout} in ${name}`}
      above={aboveRollout(name, rollout)}
      actions={
        <>
          <LinkButton variant="secondary" size="sm" icon="clipboard-alt" href={href(to.readiness(name, rollout))}>
            Readiness
          </LinkButton>
          {detail && (
            <RefusableButton
              size="sm"
              icon="file-alt"
              reasons={why(detail, 'prepare-column-drop')}
              onClick={() => setOpen('prepare-column-drop')}
            >
              Prepare
            </RefusableButton>
          )}
        </>
      }
    >
      <div className={styles.all}>
        <Trouble
          environment={environment.data}
          error={environment.error ?? error ?? asked.error}
          failingSince={environment.failingSince ?? failingSince ?? asked.failingSince}
        />
        {!drop && !environment.error && !error && !asked.error && <LoadingPlaceholder text="Asking the agent…" />}
        {environment.data && detail && (
          <>
            <RunningOfKind kind="column-drop" environment={environment.data} detail={detail} refresh={refresh} />
            <RunningOfKind kind="archive-removal" environment={environment.data} detail={detail} refresh={refresh} />
          </>
        )}
        {drop?.dropped && (
          <Alert
            severity="info"
            title={`${drop.dropped.columns.join(', ')} are gone since ${clock(drop.dropped.noticedAt)}`}
          >
            {drop.dropped.restore}
          </Alert>
        )}
        {drop && drop.last === null && (
          <EmptyState variant="not-found" message="Nothing has been prepared yet">
            It asks every safety check, archives the columns, and writes a migration, its undo and a pull request. It
            drops nothing: your own migration tool does. Start it with “Prepare”.
          </EmptyState>
        )}
        {drop && <Prepared drop={drop} />}
        {drop?.archive && detail && (
          <Archive
            archive={drop.archive}
            reasons={why(detail, 'remove-archive')}
            onRemove={() => setOpen('remove-archive')}
          />
        )}
        {drop && <Watch watch={drop.watch} />}
        {open && environment.data && (
          <Confirmation
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
