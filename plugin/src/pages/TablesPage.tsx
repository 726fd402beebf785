import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Alert, LoadingPlaceholder, useStyles2 } from '@grafana/ui'
import { describeNewTables } from '@sti-rollout/agent/contract'
import { formatCount } from '@sti-rollout/agent/format'
import React from 'react'
import { useParams } from 'react-router-dom'
import { useEnvironment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { RunningOperation } from '../operation/RunningOperation'
import { RolloutAlerts } from '../rollout/RolloutAlerts'
import { RolloutTitle } from '../rollout/RolloutTitle'
import { describeTables } from '../tables/GroupLine'
import { TablesRollback, TablesSteps } from '../tables/TablesActions'
import { TablesTable } from '../tables/TablesTable'
import { useTables } from '../tables/useTables'
import { Page } from './Page'

const LISTED = 100

/** A rollout with several tables: its flag, its steps, what runs, and the tables that need a person first. */
export function TablesPage() {
  const { environment: name = '', rollout = '' } = useParams()
  const styles = useStyles2(getStyles)
  const environment = useEnvironment(name)
  const poll = useTables(environment.data, rollout, LISTED)
  const { data: group, refresh } = poll
  const error = environment.error ?? poll.error
  const common = environment.data && group && { environment: environment.data, group, refresh }
  const more = group ? group.total - group.tables.length : 0
  return (
    <Page
      title={`${rollout} in ${name}`}
      renderTitle={() => <RolloutTitle rollout={rollout} name={name} environment={environment.data} detail={group} />}
      actions={common && <TablesRollback {...common} />}
    >
      <div className={styles.all}>
        <RolloutAlerts
          environmentName={environment.data?.name ?? name}
          rollout={rollout}
          environment={environment.data}
          detail={null}
          error={error}
          failingSince={environment.failingSince ?? poll.failingSince}
        />
        {!group && !error && <LoadingPlaceholder text="Loading…" />}
        {group && group.newSchemas.length > 0 && (
          <Alert severity={group.flag.enabled ? 'error' : 'warning'} title="There are new tables">
            {describeNewTables(group.newSchemas, group.flag)}
          </Alert>
        )}
        {common && group && (
          <>
            <Section title="Steps">
              <p>
                Each step runs in every table, and leaves out those that are already there. There is one flag for all of
                them.
              </p>
              <TablesSteps {...common} />
              {group.running && (
                <RunningOperation
                  environment={common.environment}
                  operation={group.running}
                  actions={group.actions}
                  onChanged={refresh}
                />
              )}
            </Section>
            <Section title="Tables">
              <p>{describeTables(group)}</p>
              {group.tables.length > 0 && <TablesTable tables={group.tables} />}
              {more > 0 && <p>{`And ${formatCount(more)} more: sti tables --all lists them.`}</p>}
            </Section>
          </>
        )}
      </div>
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2), minWidth: 0 }),
})
