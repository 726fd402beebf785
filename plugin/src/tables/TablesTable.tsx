import { Badge, type BadgeColor } from '@grafana/ui'
import type { GroupTable } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'
import React from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { OPERATION_STATE_DISPLAY } from '../operation/display'
import { STAGE_DISPLAY } from '../rollout/display'

const COLUMNS = ['Schema', 'Stage', 'Last operation', 'Time', 'Error'] as const

const stateColor = (state: GroupTable['state']): BadgeColor =>
  state === 'waiting' ? 'blue' : OPERATION_STATE_DISPLAY[state].color

/** The tables of a rollout with several, in the order of the agent: failed ones first, then the slowest. */
export function TablesTable({ tables }: { tables: readonly GroupTable[] }) {
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {tables.map(({ rollout, schema, table, stage, state, operation, seconds, error }) => (
          <tr key={rollout}>
            <td data-column={COLUMNS[0]} title={table}>
              {schema}
            </td>
            <td data-column={COLUMNS[1]} title={STAGE_DISPLAY[stage].description}>
              {stage}
            </td>
            <td data-column={COLUMNS[2]}>
              <span>
                <Badge text={state} color={stateColor(state)} /> {operation === null ? 'was already there' : operation}
              </span>
            </td>
            <td data-column={COLUMNS[3]}>{seconds === null ? '–' : formatDuration(seconds)}</td>
            <td data-column={COLUMNS[4]}>{error ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </ResponsiveTable>
  )
}
