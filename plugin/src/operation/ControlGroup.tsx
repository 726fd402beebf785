import {
  describeErrorDifference,
  describeLatencyRatio,
  formatLatency,
  type VariantComparison,
} from '@sti-rollout/agent/contract'
import { Badge } from '@grafana/ui'
import { formatCount, formatDuration, formatValue, NO_VALUE } from '@sti-rollout/agent/format'
import React from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { VERDICT_COLORS } from '../validation/verdicts'

const COLUMNS = ['Requests', 'Count', 'Mean latency', 'Failed'] as const

/** Requests with the flag on against requests with the flag off, with the 95% confidence intervals of the differences. */
export function ControlGroup({ comparison }: { comparison: VariantComparison }) {
  const { on, off, seconds, latency, errors, missingSeconds } = comparison
  const difference = [describeLatencyRatio(comparison), describeErrorDifference(comparison)]
  return (
    <section aria-label="Requests with the flag on and off">
      <ResponsiveTable columns={COLUMNS}>
        <tbody>
          <VariantRow name="Flag on" totals={on} />
          <VariantRow name="Flag off (control group)" totals={off} />
          <tr>
            <td data-column={COLUMNS[0]}>Difference</td>
            <td data-column={COLUMNS[1]}>{`in ${formatDuration(seconds)}`}</td>
            {[latency, errors].map(({ verdict, detail }, index) => (
              <td key={COLUMNS[index + 2]} data-column={COLUMNS[index + 2]} title={detail}>
                <Badge text={verdict} color={VERDICT_COLORS[verdict]} /> {difference[index] ?? NO_VALUE}
              </td>
            ))}
          </tr>
        </tbody>
      </ResponsiveTable>
      {missingSeconds !== null && missingSeconds > 0 && (
        <div role="status">{`About ${formatDuration(missingSeconds)} more at this traffic until both can pass.`}</div>
      )}
    </section>
  )
}

function VariantRow({ name, totals }: { name: string; totals: VariantComparison['on'] }) {
  const { requests, failed, latency } = totals
  return (
    <tr>
      <td data-column={COLUMNS[0]}>{name}</td>
      <td data-column={COLUMNS[1]}>{formatCount(requests)}</td>
      <td data-column={COLUMNS[2]}>{latency === null ? NO_VALUE : formatLatency(latency)}</td>
      <td data-column={COLUMNS[3]}>{formatValue(requests === 0 ? null : failed / requests, 'ratio')}</td>
    </tr>
  )
}
