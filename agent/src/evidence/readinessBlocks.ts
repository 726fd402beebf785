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
export function readinessBlocks({ readiness, attestations, acceptances, promotions }: EvidenceReport): ReportBlock[] {
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
      attestations.map((attestation) => [
        attestation.item,
        attestation.by.name,
        formatInstant(attestation.at),
        formatInstant(attestation.expiresAt),
        attestation.note,
        attestation.counts ? 'yes' : `no: ${attestation.why}`,
      ]),
      'No sign-offs.',
    ),
    heading('Accepted by an admin'),
    table(
      ['Check', 'Subject', 'Accepted by', 'At', 'Expires', 'Reason', 'Valid'],
      acceptances.map((one) => [
        one.check,
        one.subject,
        one.by.name,
        formatInstant(one.at),
        formatInstant(one.expiresAt),
        one.reason,
        one.valid ? 'yes' : `no: ${one.why}`,
      ]),
      'Nothing: no check that cannot decide was accepted.',
    ),
    heading('Promotions'),
    table(
      ['From', 'Validated', 'Key', 'Uploaded by', 'At', 'Reason', 'Valid'],
      promotions.map((promotion) => [
        promotion.forced ? 'FORCED, without a report' : (promotion.from ?? NO_VALUE),
        formatInstant(promotion.validatedAt),
        promotion.kid ?? NO_VALUE,
        `${promotion.by.name} (${promotion.by.level})`,
        formatInstant(promotion.at),
        promotion.reason ?? NO_VALUE,
        promotion.counts ? 'yes' : `no: ${promotion.why}`,
      ]),
      'None.',
    ),
  ]
}
