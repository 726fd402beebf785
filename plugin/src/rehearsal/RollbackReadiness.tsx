import { Badge } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo, formatDuration, formatValue } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { type OperationAction, OPERATION_ACTIONS } from '../action/actionCatalog'
import { OperationConfirmation } from '../action/OperationConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'

const COLUMNS = ['Scope', 'Ready', 'Takes about', 'Rests on', 'Proved', 'Action'] as const

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** Each rollback: whether it could be done now, how long it would take and how that is known; and the backup. */
export function RollbackReadiness({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<OperationAction | null>(null)
  const { rollbackReady, backup } = detail
  return (
    <Section
      title="Ways back"
      state={<span>{`${rollbackReady.filter(({ ready }) => ready).length} of ${rollbackReady.length} ready`}</span>}
    >
      <ResponsiveTable columns={COLUMNS}>
        <tbody>
          {rollbackReady.map(({ scope, ready, reasons, estimatedSeconds, estimateBasis, provedAt }) => {
            const start: OperationAction = `rollback-${scope}`
            return (
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
                <td data-column={COLUMNS[3]}>{estimateBasis ?? 'nothing was measured here yet'}</td>
                <td data-column={COLUMNS[4]}>
                  <span title={formatTime(provedAt)}>{formatAgo(provedAt)}</span>
                </td>
                <td data-column={COLUMNS[5]}>
                  <ActionButton
                    size="sm"
                    variant="secondary"
                    icon="history"
                    reasons={refusalReasons(detail, start)}
                    onClick={() => setOpen(start)}
                  >
                    {OPERATION_ACTIONS[start].label}
                  </ActionButton>
                </td>
              </tr>
            )
          })}
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
