import { Badge } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo, formatDuration, formatValue } from '@sti-rollout/agent/format'
import React from 'react'
import { OperationButton } from '../action/OperationButton'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'
import { RollBackEverythingButton } from './RollBackEverythingButton'

const COLUMNS = ['Scope', 'Ready', 'Estimated duration', 'Based on', 'Last tested', 'Action'] as const

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The rollback options: readiness, estimated duration and its basis, and the last test; and the backup. */
export function RollbackReadiness({ environment, detail, refresh }: Props) {
  const { rollbackReady, backup } = detail
  return (
    <Section
      title="Rollback options"
      state={<span>{`${rollbackReady.filter(({ ready }) => ready).length} of ${rollbackReady.length} ready`}</span>}
      actions={<RollBackEverythingButton environment={environment} detail={detail} onDone={refresh} />}
    >
      <ResponsiveTable columns={COLUMNS}>
        <tbody>
          {rollbackReady.map(({ scope, ready, reasons, estimatedSeconds, estimateBasis, verifiedAt }) => (
            <tr key={scope}>
              <td data-column={COLUMNS[0]}>
                <strong>{scope}</strong>
              </td>
              <td data-column={COLUMNS[1]}>
                <span>
                  <Badge text={ready ? 'yes' : 'no'} color={ready ? 'green' : 'orange'} /> {reasons.join(' ')}
                </span>
              </td>
              <td data-column={COLUMNS[2]}>{formatValue(estimatedSeconds, 'seconds')}</td>
              <td data-column={COLUMNS[3]}>{estimateBasis ?? 'not measured yet'}</td>
              <td data-column={COLUMNS[4]}>
                <span title={formatTime(verifiedAt)}>{formatAgo(verifiedAt)}</span>
              </td>
              <td data-column={COLUMNS[5]}>
                <OperationButton
                  action={`rollback-${scope}`}
                  variant="secondary"
                  icon="history"
                  environment={environment}
                  detail={detail}
                  onStarted={refresh}
                />
              </td>
            </tr>
          ))}
          <tr>
            <td data-column={COLUMNS[0]}>
              <strong>backup</strong>
            </td>
            <td data-column={COLUMNS[1]}>
              <Badge text={backup.available ? 'yes' : 'no'} color={backup.available ? 'green' : 'orange'} />
            </td>
            <td data-column={COLUMNS[2]}>–</td>
            <td data-column={COLUMNS[3]}>{backup.detail}</td>
            <td data-column={COLUMNS[4]}>
              {backup.ageSeconds === null ? 'never' : `${formatDuration(backup.ageSeconds)} ago`}
            </td>
            <td data-column={COLUMNS[5]} />
          </tr>
        </tbody>
      </ResponsiveTable>
    </Section>
  )
}
