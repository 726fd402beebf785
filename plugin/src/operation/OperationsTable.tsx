import { TextLink } from '@grafana/ui'
import { operationTitle, type Operation } from '@sti-rollout/agent/contract'
import { formatAgo, formatDuration } from '@sti-rollout/agent/format'
import React from 'react'
import { routes } from '../routes'
import { formatTime } from '../formatTime'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { OperationStateBadge } from './OperationStateBadge'

const COLUMNS = ['Operation', 'State', 'Requested', 'Duration', 'Requested by', 'Error or reason'] as const

/** The latest operations, newest first. */
export function OperationsTable({
  environment,
  operations,
}: {
  environment: string
  operations: readonly Operation[]
}) {
  if (operations.length === 0) return <p>No operations yet. The next step above starts one.</p>
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {operations.map((operation) => (
          <tr key={operation.id}>
            <td data-column={COLUMNS[0]}>
              <TextLink href={routes.operation(environment, operation.rollout, operation.id)} inline={false}>
                {`${operationTitle(operation)} ${operation.id}`}
              </TextLink>
            </td>
            <td data-column={COLUMNS[1]}>
              <OperationStateBadge state={operation.state} />
            </td>
            <td data-column={COLUMNS[2]}>
              <span title={formatTime(operation.createdAt)}>{formatAgo(operation.createdAt)}</span>
            </td>
            <td data-column={COLUMNS[3]}>{operationDuration(operation)}</td>
            <td data-column={COLUMNS[4]}>{operation.actor.name}</td>
            <td data-column={COLUMNS[5]}>{operation.error ?? operation.reason ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </ResponsiveTable>
  )
}

function operationDuration({ startedAt, endedAt }: Operation): string {
  if (!startedAt) return '–'
  return formatDuration(((endedAt ? Date.parse(endedAt) : Date.now()) - Date.parse(startedAt)) / 1000)
}
