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

/** The application's use of the flag and the legacy columns, which must stop for the soak time before the drop. */
export function UsageWatch({ watch }: { watch: ColumnDrop['watch'] }) {
  const styles = useStyles2(getStyles)
  const recentUses = watch.uses.filter(({ lastCalledAt }) => lastCalledAt !== null)
  return (
    <Section
      title="Use by the application"
      state={
        watch.flagFullSince === null ? (
          <Badge text="flag not at 100%" color="orange" />
        ) : (
          <Badge text={`flag at 100% since ${formatTime(watch.flagFullSince)}`} color="green" />
        )
      }
    >
      <DefinitionList
        items={[
          ['Soak time', formatDuration(watch.soakSeconds)],
          ['Flag evaluations recorded since', formatTime(watch.evaluationsWatchedSince)],
          [
            'Flag last evaluated',
            watch.lastEvaluatedAt
              ? `${formatTime(watch.lastEvaluatedAt)}, ${watch.lastEvaluatedBy ?? 'unnamed client'}`
              : 'never',
          ],
          ['Statements recorded since', formatTime(watch.statementsWatchedSince)],
        ]}
      />
      {recentUses.length === 0 ? (
        <p>No statement that names the legacy columns has run since recording began.</p>
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
