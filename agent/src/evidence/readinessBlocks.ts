import type { ReadinessList, EvidenceReport } from '../contract/index.ts'
import { NO_VALUE } from '../format/format.ts'
import { heading, formatInstant, formatMeasuredRatio, table, paragraph, type ReportBlock } from './reportBlocks.ts'

const LIST_TITLES = {
  staging: 'Staging validation complete',
  production: 'Production readiness',
  monitoring: 'Monitoring and observability',
  success: 'Success metrics',
} as const satisfies Partial<Record<ReadinessList, string>>

/** The definition of done item by item, sign-offs and promotions. */
export function readinessBlocks({ readiness, attestations, promotions }: EvidenceReport): ReportBlock[] {
  const { ratios } = readiness
  return [
    heading('Definition of done'),
    paragraph(
      `Team readiness: ${formatMeasuredRatio(ratios.team)}. Documentation: ${formatMeasuredRatio(ratios.documentation)}.`,
    ),
    ...Object.entries(LIST_TITLES).flatMap(([list, title]) => [
      heading(`${title}: ${formatMeasuredRatio(ratios[list as ReadinessList])}`, 3),
      table(
        ['Item', 'State', 'Source', 'Finding', 'Since'],
        readiness.items
          .filter(({ lists }) => lists.includes(list as ReadinessList))
          .map((item) => [item.line, item.state, item.by, item.sentence, formatInstant(item.since)]),
        'No items.',
      ),
    ]),
    heading('Sign-offs'),
    table(
      ['Item', 'Signed off by', 'At', 'Expires', 'Note', 'Valid'],
      attestations.map((one) => [
        one.item,
        one.by.name,
        formatInstant(one.at),
        formatInstant(one.expiresAt),
        one.note,
        one.counts ? 'yes' : `no: ${one.why}`,
      ]),
      'No sign-offs.',
    ),
    heading('Promotions'),
    table(
      ['From', 'Validated', 'Key', 'Uploaded by', 'At', 'Reason', 'Valid'],
      promotions.map((one) => [
        one.forced ? 'FORCED, without a report' : (one.from ?? NO_VALUE),
        formatInstant(one.validatedAt),
        one.kid ?? NO_VALUE,
        `${one.by.name} (${one.by.level})`,
        formatInstant(one.at),
        one.reason ?? NO_VALUE,
        one.counts ? 'yes' : `no: ${one.why}`,
      ]),
      'None.',
    ),
  ]
}
