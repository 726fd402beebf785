import { type CellProps, type Column, InteractiveTable, Text, TextLink } from '@grafana/ui'
import type { Operation } from '@sti-rollout/agent/contract'
import React, { useMemo } from 'react'
import { to } from '../ids'
import { ago, clock, duration } from '../words/numbers'
import { nameOf } from './look'
import { OperationStateBadge } from './OperationStateBadge'

type Cell = CellProps<Operation>

/** The last operations, newest first: what, how it ended, who, why. */
export function Operations({ environment, operations }: { environment: string; operations: readonly Operation[] }) {
  const data = useMemo(() => [...operations], [operations])
  const columns = useMemo<Array<Column<Operation>>>(
    () => [
      {
        id: 'what',
        header: 'Operation',
        cell: ({ row: { original } }: Cell) => (
          <TextLink href={to.operation(environment, original.rollout, original.id)} inline={false}>
            {`${nameOf(original)} ${original.id}`}
          </TextLink>
        ),
      },
      {
        id: 'state',
        header: 'State',
        cell: ({ row: { original } }: Cell) => <OperationStateBadge state={original.state} />,
      },
      {
        id: 'started',
        header: 'Asked for',
        cell: ({ row: { original } }: Cell) => <span title={clock(original.createdAt)}>{ago(original.createdAt)}</span>,
      },
      { id: 'took', header: 'Took', cell: ({ row: { original } }: Cell) => took(original) },
      { id: 'who', header: 'Who', cell: ({ row: { original } }: Cell) => original.actor.name },
      { id: 'why', header: 'Why', cell: ({ row: { original } }: Cell) => original.error ?? original.reason ?? '' },
    ],
    [environment],
  )
  return (
    <section>
      <Text element="h3" variant="h5">
        Recent operations
      </Text>
      {data.length === 0 ? (
        <p>Nothing was done yet. The buttons above say what may be done now.</p>
      ) : (
        <InteractiveTable columns={columns} data={data} getRowId={({ id }) => String(id)} />
      )}
    </section>
  )
}

function took({ startedAt, endedAt }: Operation): string {
  if (!startedAt) return '–'
  return duration(((endedAt ? Date.parse(endedAt) : Date.now()) - Date.parse(startedAt)) / 1000)
}
