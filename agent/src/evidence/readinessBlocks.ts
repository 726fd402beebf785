import type { ReadinessList, EvidenceReport } from '../contract/index.ts'
import { heading, formatInstant, formatPercent, table, paragraph, type ReportBlock } from './reportBlocks.ts'

const LIST_TITLES = {
  staging: 'Staging Validation Complete',
  production: 'Production Readiness',
  monitoring: 'Monitoring & Observability',
  success: 'Success Metrics',
} as const satisfies Partial<Record<ReadinessList, string>>

/** The definition of done, item by item, and who has signed off what. */
export function readinessBlocks({ readiness, attestations, promotions }: EvidenceReport): ReportBlock[] {
  const { ratios } = readiness
  return [
    heading('Definition of done'),
    paragraph(`Team ${formatPercent(ratios.team)}, documentation ${formatPercent(ratios.documentation)} ready.`),
    ...Object.entries(LIST_TITLES).flatMap(([list, title]) => [
      heading(`${title}: ${formatPercent(ratios[list as ReadinessList])}`, 3),
      table(
        ['item', 'state', 'how it is known', 'what was found', 'since'],
        readiness.items
          .filter(({ lists }) => lists.includes(list as ReadinessList))
          .map((item) => [item.line, item.state, item.by, item.sentence, formatInstant(item.since)]),
        'Empty.',
      ),
    ]),
    heading('Sign-offs'),
    table(
      ['item', 'by', 'at', 'until', 'note', 'counts'],
      attestations.map((one) => [
        ...[one.item, one.by.name, formatInstant(one.at), formatInstant(one.expiresAt), one.note],
        one.counts ? 'yes' : `no: ${one.why}`,
      ]),
      'Nobody has signed anything off.',
    ),
    heading('Promotions'),
    table(
      ['from', 'validated', 'key', 'handed in by', 'at', 'reason', 'counts'],
      promotions.map((one) => [
        ...[
          one.forced ? 'FORCED, without a report' : (one.from ?? '-'),
          formatInstant(one.validatedAt),
          one.kid ?? '-',
        ],
        ...[
          `${one.by.name} (${one.by.level})`,
          formatInstant(one.at),
          one.reason ?? '-',
          one.counts ? 'yes' : `no: ${one.why}`,
        ],
      ]),
      'None.',
    ),
  ]
}
