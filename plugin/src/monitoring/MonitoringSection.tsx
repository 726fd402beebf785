import { Badge } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'
import React from 'react'
import { OperationButton } from '../action/OperationButton'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

const COLUMNS = ['Setting', 'Before', 'Now', 'Since'] as const

/** Enhanced monitoring: its state, its changes, and the changes that the agent's role may not make. */
export function MonitoringSection({ environment, detail, refresh }: Props) {
  const { enhanced, since, samplingSeconds, changes, refused } = detail.monitoring
  return (
    <Section
      title="Enhanced monitoring"
      state={
        <>
          <Badge text={enhanced ? 'on' : 'off'} color={enhanced ? 'green' : 'blue'} />
          <span>{`reads every ${formatDuration(samplingSeconds)}${since ? `, since ${formatTime(since)}` : ''}`}</span>
        </>
      }
      actions={
        <>
          <OperationButton action="monitoring" environment={environment} detail={detail} onStarted={refresh} />
          <OperationButton action="rollback-monitoring" environment={environment} detail={detail} onStarted={refresh} />
        </>
      }
    >
      {changes.length === 0 ? (
        <p>
          No settings are changed. Enhanced monitoring reads the signals more often and records per-statement times.
        </p>
      ) : (
        <ResponsiveTable columns={COLUMNS}>
          <tbody>
            {changes.map(({ object, before, now, at }) => (
              <tr key={object}>
                <td data-column={COLUMNS[0]}>{object}</td>
                <td data-column={COLUMNS[1]}>{before ?? 'not set'}</td>
                <td data-column={COLUMNS[2]}>{now}</td>
                <td data-column={COLUMNS[3]}>{formatTime(at)}</td>
              </tr>
            ))}
          </tbody>
        </ResponsiveTable>
      )}
      {refused.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </Section>
  )
}
