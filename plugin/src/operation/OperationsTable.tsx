import { type CellProps, type Column, InteractiveTable, TextLink } from '@grafana/ui'
import { operationTitle, type Operation } from '@sti-rollout/agent/contract'
import { formatAgo, formatDuration } from '@sti-rollout/agent/format'
import React, { useMemo } from 'react'
import { routes } from '../routes'
import { formatTime } from '../formatTime'
import { OperationStateBadge } from './OperationStateBadge'

type OperationCellProps = CellProps<Operation>

/** The latest operations, newest first. */
export function OperationsTable({
  environment,
  operations,
}: {
  environment: string
  operations: readonly Operation[]
}) {
  const data = useMemo(() => [...operations], [operations])
  const columns = useMemo<Array<Column<Operation>>>(
    () => [
      {
        id: 'what',
        header: 'Operation',
        cell: ({ row: { original } }: OperationCellProps) => (
          <TextLink href={routes.operation(environment, original.rollout, original.id)} inline={false}>
            {`${operationTitle(original)} ${original.id}`}
          </TextLink>
        ),
      },
      {
        id: 'state',
        header: 'State',
        cell: ({ row: { original } }: OperationCellProps) => <OperationStateBadge state={original.state} />,
      },
      {
        id: 'started',
        header: 'Requested',
        cell: ({ row: { original } }: OperationCellProps) => (
          <span title={formatTime(original.createdAt)}>{formatAgo(original.createdAt)}</span>
        ),
      },
      {
        id: 'took',
        header: 'Duration',
        cell: ({ row: { original } }: OperationCellProps) => operationDuration(original),
      },
      { id: 'who', header: 'Requested by', cell: ({ row: { original } }: OperationCellProps) => original.actor.name },
      {
        id: 'why',
        header: 'Error or reason',
        cell: ({ row: { original } }: OperationCellProps) => original.error ?? original.reason ?? '',
      },
    ],
    [environment],
  )
  if (data.length === 0) return <p>No operations yet. The next step above starts one.</p>
  return <InteractiveTable columns={columns} data={data} getRowId={({ id }) => String(id)} />
}

function operationDuration({ startedAt, endedAt }: Operation): string {
  if (!startedAt) return '–'
  return formatDuration(((endedAt ? Date.parse(endedAt) : Date.now()) - Date.parse(startedAt)) / 1000)
}
