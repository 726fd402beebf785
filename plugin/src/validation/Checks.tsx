import { type BadgeColor, Badge, type CellProps, type Column, InteractiveTable, Text } from '@grafana/ui'
import type { CheckResult, Layer, Verdict } from '@sti-rollout/agent/contract'
import React from 'react'
import { rows } from '../words/numbers'

export const VERDICTS = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'orange',
  error: 'red',
} as const satisfies Record<Verdict, BadgeColor>

type Cell = CellProps<CheckResult>

const COLUMNS: Array<Column<CheckResult>> = [
  {
    id: 'verdict',
    header: 'Verdict',
    cell: ({ row: { original } }: Cell) => <Badge text={original.verdict} color={VERDICTS[original.verdict]} />,
  },
  { id: 'check', header: 'Check', cell: ({ row: { original } }: Cell) => original.check },
  { id: 'value', header: 'Value', cell: ({ row: { original } }: Cell) => number(original.value) },
  { id: 'limit', header: 'Limit', cell: ({ row: { original } }: Cell) => number(original.limit) },
  { id: 'against', header: 'Rows against it', cell: ({ row: { original } }: Cell) => rows(original.discrepancies) },
  { id: 'detail', header: 'Detail', cell: ({ row: { original } }: Cell) => original.detail },
  {
    id: 'samples',
    header: 'Sample keys',
    cell: ({ row: { original } }: Cell) => original.sampleKeys.map((key) => key.join(', ')).join(' · ') || '–',
  },
]

const TITLES = {
  integrity: 'Data integrity',
  performance: 'Performance',
  system: 'System health',
  business: 'Business logic',
} as const satisfies Record<Layer, string>

/** The checks of one layer: what was found, beside what may be. */
export function Checks({ layer, checks }: { layer: Layer; checks: CheckResult[] }) {
  return (
    <section aria-label={TITLES[layer]}>
      <Text element="h3" variant="h5">
        {TITLES[layer]}
      </Text>
      <InteractiveTable columns={COLUMNS} data={checks} getRowId={({ check }) => check} />
    </section>
  )
}

/** Six digits after the point, cut off: what is almost 1 is not 1. */
const number = (value: number | null) => (value === null ? '–' : String(Math.trunc(value * 1_000_000) / 1_000_000))
