import { Badge, Button } from '@grafana/ui'
import type { BaselineSummary } from '@sti-rollout/agent/contract'
import React from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'

const COLUMNS = ['Number', 'Taken', 'Release', 'From', 'Until', 'By', 'Usable', 'File'] as const
/** Older ones are read with `sti baseline --list`. */
const MAXIMUM_ROWS = 10

interface Props {
  baselines: readonly BaselineSummary[]
  onExport: (baseline: BaselineSummary) => void
}

/** The last baselines, newest first, each to be exported. */
export function BaselinesTable({ baselines, onExport }: Props) {
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {baselines.slice(0, MAXIMUM_ROWS).map((one) => (
          <tr key={one.id}>
            <td data-column={COLUMNS[0]}>{one.id}</td>
            <td data-column={COLUMNS[1]}>{one.oneRunOnly ? `${one.source}, for one run` : one.source}</td>
            <td data-column={COLUMNS[2]}>{one.release ?? '–'}</td>
            <td data-column={COLUMNS[3]}>{formatTime(one.startedAt)}</td>
            <td data-column={COLUMNS[4]}>{formatTime(one.endedAt)}</td>
            <td data-column={COLUMNS[5]}>{one.createdBy.name}</td>
            <td data-column={COLUMNS[6]}>
              <Badge
                text={one.unusable.length === 0 ? 'yes' : 'no'}
                color={one.unusable.length === 0 ? 'green' : 'orange'}
                tooltip={one.unusable.join(' ') || undefined}
              />
            </td>
            <td data-column={COLUMNS[7]}>
              <Button
                size="sm"
                variant="secondary"
                icon="download-alt"
                aria-label={`Export baseline ${one.id}`}
                onClick={() => onExport(one)}
              >
                Export
              </Button>
            </td>
          </tr>
        ))}
      </tbody>
    </ResponsiveTable>
  )
}
