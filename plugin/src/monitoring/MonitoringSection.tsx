import { Badge } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

const COLUMNS = ['What', 'Before', 'Now', 'Since'] as const

/** Enhanced monitoring: on or off, what it changed, and what the agent's role may not change. */
export function MonitoringSection({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<'monitoring' | 'rollback-monitoring' | null>(null)
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
          <ActionButton
            size="sm"
            variant="secondary"
            icon="eye"
            reasons={refusalReasons(detail, 'monitoring')}
            onClick={() => setOpen('monitoring')}
          >
            Switch on
          </ActionButton>
          <ActionButton
            size="sm"
            variant="destructive"
            icon="history"
            reasons={refusalReasons(detail, 'rollback-monitoring')}
            onClick={() => setOpen('rollback-monitoring')}
          >
            Take back
          </ActionButton>
        </>
      }
    >
      {changes.length === 0 ? (
        <p>Nothing has been changed for it. Switched on, it reads more often and keeps times of each statement.</p>
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
      {open && (
        <OperationConfirmation
          start={open}
          environment={environment}
          rollout={detail.rollout}
          onClose={() => setOpen(null)}
          onDone={refresh}
        />
      )}
    </Section>
  )
}
