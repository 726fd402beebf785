import { Alert, Checkbox, InteractiveTable, Stack, Text, type CellProps, type Column } from '@grafana/ui'
import type { FailedRow, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatCount, formatQuantity } from '@sti-rollout/agent/format'
import React, { useMemo, useState } from 'react'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { ActionButton } from '../action/ActionButton'
import { OperationButton } from '../action/OperationButton'
import { refusalReasons } from '../action/refusalReasons'
import { acceptFailedRows, listFailedRows } from '../agent/rolloutCalls'
import { type Environment, environmentPlace } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { formatTime } from '../formatTime'
import { operationRevision } from './useRollout'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

type FailedRowCellProps = CellProps<FailedRow>
const rowKey = ({ key }: FailedRow) => JSON.stringify(key)

/** The rows that could not be written, with buttons to retry all rows and to accept the selected ones. */
export function FailedRows({ environment, detail, refresh }: Props) {
  const { rollout } = detail
  const [selectedKeys, setSelectedKeys] = useState<ReadonlySet<string>>(new Set())
  const [accepting, setAccepting] = useState(false)
  const failedRowsPoll = useSlowPolling(
    detail.failedRows > 0 ? `${environmentPlace(environment)}/${rollout}` : null,
    (signal) => listFailedRows(environment.agent, rollout, signal),
    `${operationRevision(detail)} ${detail.failedRows}`,
  )
  const columns = useMemo(() => failedRowColumns(selectedKeys, setSelectedKeys), [selectedKeys])
  if (detail.failedRows === 0) return null

  const list = failedRowsPoll.data?.failedRows ?? []
  const total = failedRowsPoll.data?.total ?? detail.failedRows
  const finish = () => {
    setAccepting(false)
    setSelectedKeys(new Set())
    refresh()
    failedRowsPoll.refresh()
  }

  return (
    <section aria-label="Failed rows">
      <Stack direction="row" alignItems="center" wrap="wrap">
        <Text element="h3" variant="h5">
          {`Failed rows: ${formatCount(total)}`}
        </Text>
        <OperationButton action="retry-failed-rows" environment={environment} detail={detail} onStarted={finish} />
        <ActionButton
          action="accept-failed-rows"
          reasons={selectedKeys.size > 0 ? refusalReasons(detail, 'accept-failed-rows') : ['Select rows first.']}
          onClick={() => setAccepting(true)}
        />
      </Stack>
      {failedRowsPoll.error && (
        <Alert severity="warning" title="Cannot load the failed rows">
          {failedRowsPoll.error.message}
        </Alert>
      )}
      <InteractiveTable columns={columns} data={list} getRowId={rowKey} pageSize={10} />
      {list.length < total && <p>{`The first ${formatCount(list.length)} of ${formatCount(total)} rows.`}</p>}
      {accepting && (
        <ReasonConfirmation
          title={`Accept ${formatQuantity(selectedKeys.size, 'failed row')} of ${rollout}`}
          environment={environment}
          confirmLabel="Accept"
          description="The rows stay without a type and no longer block the flag."
          reason="required"
          submit={(reason) =>
            acceptFailedRows(
              environment.agent,
              rollout,
              [...selectedKeys].map((key) => JSON.parse(key) as string[]),
              reason,
            )
          }
          onDone={finish}
          onClose={() => setAccepting(false)}
        />
      )}
    </section>
  )
}

function failedRowColumns(
  selectedKeys: ReadonlySet<string>,
  onSelect: (keys: ReadonlySet<string>) => void,
): Array<Column<FailedRow>> {
  const toggleKey = (key: string) => {
    const next = new Set(selectedKeys)
    if (!next.delete(key)) next.add(key)
    return next
  }
  return [
    {
      id: 'selected',
      header: '',
      cell: ({ row: { original } }: FailedRowCellProps) => (
        <Checkbox
          aria-label={`Select ${original.key.join(', ')}`}
          value={selectedKeys.has(rowKey(original))}
          onChange={() => onSelect(toggleKey(rowKey(original)))}
        />
      ),
    },
    { id: 'key', header: 'Key', cell: ({ row: { original } }: FailedRowCellProps) => original.key.join(', ') },
    { id: 'sqlstate', header: 'SQLSTATE', cell: ({ row: { original } }: FailedRowCellProps) => original.sqlstate },
    { id: 'message', header: 'Error', cell: ({ row: { original } }: FailedRowCellProps) => original.message },
    { id: 'attempts', header: 'Attempts', cell: ({ row: { original } }: FailedRowCellProps) => original.attempts },
    {
      id: 'last',
      header: 'Last failure',
      cell: ({ row: { original } }: FailedRowCellProps) => formatTime(original.lastFailedAt),
    },
    {
      id: 'accepted',
      header: 'Accepted',
      cell: ({ row: { original } }: FailedRowCellProps) => original.accepted ?? '',
    },
  ]
}
