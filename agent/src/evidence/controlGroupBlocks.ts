import {
  describeErrorDifference,
  describeLatencyRatio,
  describeVariant,
  VariantComparison,
  type EvidenceReport,
} from '../contract/index.ts'
import { NO_VALUE } from '../format/format.ts'
import { formatInstant, heading, paragraph, table, type ReportBlock } from './reportBlocks.ts'

/** Each judged step of a ramp with a control group: requests with the flag on against requests with the flag off. */
export function controlGroupBlocks({ events }: EvidenceReport): ReportBlock[] {
  const rows = events.entries.flatMap(({ at, operationId, message, after }) => {
    const comparison = readComparison(after)
    if (comparison === null) return []
    return [
      [
        operationId === null ? NO_VALUE : String(operationId),
        formatInstant(at),
        message,
        describeVariant(comparison.on),
        describeVariant(comparison.off),
        describeLatencyRatio(comparison) ?? NO_VALUE,
        describeErrorDifference(comparison) ?? NO_VALUE,
      ],
    ]
  })
  return [
    heading('Requests with the flag on and off'),
    ...(rows.length === 0
      ? []
      : [
          paragraph(
            'Latency is the mean with the flag on / the mean with the flag off. Failed requests are the ratio with the flag on - the ratio with the flag off.',
          ),
        ]),
    table(
      ['Ramp', 'Judged', 'Step', 'Flag on', 'Flag off', 'Latency', 'Failed requests'],
      rows,
      'No step of a ramp was judged against a control group.',
    ),
  ]
}

/** The comparison in the verdict of a step; null: the event is another one, or the step had no control group. */
function readComparison(after: unknown): VariantComparison | null {
  const comparison = (after as { comparison?: unknown } | null)?.comparison
  return VariantComparison.safeParse(comparison).data ?? null
}
