import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Badge, useStyles2 } from '@grafana/ui'
import type { ColumnDrop } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'
import React from 'react'
import { DefinitionList } from '../layout/DefinitionList'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'

const COLUMNS = ['Statement', 'Reads', 'Writes', 'Last called'] as const

/** What the application still does with flag and columns; the drop waits until it has not for the soak time. */
export function UsageWatch({ watch }: { watch: ColumnDrop['watch'] }) {
  const styles = useStyles2(getStyles)
  const recentUses = watch.uses.filter(({ lastCalledAt }) => lastCalledAt !== null)
  return (
    <Section
      title="What the application still does"
      state={
        watch.flagFullSince === null ? (
          <Badge text="the flag is not at 100 %" color="orange" />
        ) : (
          <Badge text={`at 100 % since ${formatTime(watch.flagFullSince)}`} color="green" />
        )
      }
    >
      <DefinitionList
        of={[
          ['Soak time', formatDuration(watch.soakSeconds)],
          ['Flag watched since', formatTime(watch.evaluationsWatchedSince)],
          [
            'Flag asked for last',
            watch.lastEvaluatedAt
              ? `${formatTime(watch.lastEvaluatedAt)}, ${watch.lastEvaluatedBy ?? 'without a name'}`
              : 'not seen',
          ],
          ['Statements watched since', formatTime(watch.statementsWatchedSince)],
        ]}
      />
      {recentUses.length === 0 ? (
        <p>No statement that names the legacy columns has been called since they are watched.</p>
      ) : (
        <ResponsiveTable columns={COLUMNS}>
          <tbody>
            {recentUses.map(({ statement, reads, writes, lastCalledAt }, index) => (
              <tr key={index}>
                <td data-column={COLUMNS[0]}>
                  <div className={styles.statement}>
                    {statement.length > 300 ? `${statement.slice(0, 300)}…` : statement}
                  </div>
                </td>
                <td data-column={COLUMNS[1]}>{reads.join(', ') || '–'}</td>
                <td data-column={COLUMNS[2]}>{writes.join(', ') || '–'}</td>
                <td data-column={COLUMNS[3]}>{formatTime(lastCalledAt)}</td>
              </tr>
            ))}
          </tbody>
        </ResponsiveTable>
      )}
    </Section>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  statement: css({
    minWidth: 0,
    overflowWrap: 'anywhere',
    fontFamily: theme.typography.fontFamilyMonospace,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
})
