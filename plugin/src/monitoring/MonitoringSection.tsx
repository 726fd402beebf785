import { Badge } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { Confirmation } from '../action/Confirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { WideTable } from '../layout/WideTable'
import { clock, duration } from '../words/numbers'

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
          <span>{`reads every ${duration(samplingSeconds)}${since ? `, since ${clock(since)}` : ''}`}</span>
        </>
      }
      actions={
        <>
          <RefusableButton
            size="sm"
            variant="secondary"
            icon="eye"
            reasons={why(detail, 'monitoring')}
            onClick={() => setOpen('monitoring')}
          >
            Switch on
          </RefusableButton>
          <RefusableButton
            size="sm"
            variant="destructive"
            icon="history"
            reasons={why(detail, 'rollback-monitoring')}
            onClick={() => setOpen('rollback-monitoring')}
          >
            Take back
          </RefusableButton>
        </>
      }
    >
      {changes.length === 0 ? (
        <p>Nothing has been changed for it. Switched on, it reads more often and keeps times of each statement.</p>
      ) : (
        <WideTable columns={COLUMNS}>
          <tbody>
            {changes.map(({ object, before, now, at }) => (
              <tr key={object}>
                <td data-column={COLUMNS[0]}>{object}</td>
                <td data-column={COLUMNS[1]}>{before ?? 'not set'}</td>
                <td data-column={COLUMNS[2]}>{now}</td>
                <td data-column={COLUMNS[3]}>{clock(at)}</td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      )}
      {refused.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      {open && (
        <Confirmation
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
