import { Badge, Button } from '@grafana/ui'
import type { BaselineSummary } from '@sti-rollout/agent/contract'
import React from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { formatTime } from '../formatTime'

const COLUMNS = ['ID', 'Source', 'Release', 'From', 'To', 'Created by', 'Usable', 'File'] as const
/** `sti baseline --list` lists older baselines. */
const MAXIMUM_ROWS = 10

interface Props {
  baselines: readonly BaselineSummary[]
  onExport: (baseline: BaselineSummary) => void
}

/** The newest baselines, newest first, each with an export button. */
export function BaselinesTable({ baselines, onExport }: Props) {
  return (
    <ResponsiveTable columns={COLUMNS}>
      <tbody>
        {baselines.slice(0, MAXIMUM_ROWS).map((baseline) => (
          <tr key={baseline.id}>
            <td data-column={COLUMNS[0]}>{baseline.id}</td>
            <td data-column={COLUMNS[1]}>
              {baseline.oneRunOnly ? `${baseline.source}, for one run` : baseline.source}
            </td>
            <td data-column={COLUMNS[2]}>{baseline.release ?? '–'}</td>
            <td data-column={COLUMNS[3]}>{formatTime(baseline.startedAt)}</td>
            <td data-column={COLUMNS[4]}>{formatTime(baseline.endedAt)}</td>
            <td data-column={COLUMNS[5]}>{baseline.createdBy.name}</td>
            <td data-column={COLUMNS[6]}>
              <Badge
                text={baseline.unusable.length === 0 ? 'yes' : 'no'}
                color={baseline.unusable.length === 0 ? 'green' : 'orange'}
                tooltip={baseline.unusable.join(' ') || undefined}
              />
            </td>
            <td data-column={COLUMNS[7]}>
              <Button
                size="sm"
                variant="secondary"
                icon="download-alt"
                aria-label={`Export baseline ${baseline.id}`}
                onClick={() => onExport(baseline)}
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
