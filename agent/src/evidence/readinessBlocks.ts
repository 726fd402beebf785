import type { ReadinessList, Report } from '../contract/index.ts'
import { heading, moment, percent, table, text, type Block } from './blocks.ts'

const TITLES = {
  staging: 'Staging Validation Complete',
  production: 'Production Readiness',
  monitoring: 'Monitoring & Observability',
  success: 'Success Metrics',
} as const satisfies Partial<Record<ReadinessList, string>>

/** The definition of done, item by item, and who has signed off what. */
export function readinessBlocks({ readiness, attestations, promotions }: Report): Block[] {
  const { ratios } = readiness
  return [
    heading('Definition of done'),
    text(`Team ${percent(ratios.team)}, documentation ${percent(ratios.documentation)} ready.`),
    ...Object.entries(TITLES).flatMap(([list, title]) => [
      heading(`${title}: ${percent(ratios[list as ReadinessList])}`, 3),
      table(
        ['item', 'state', 'how it is known', 'what was found', 'since'],
        readiness.items
          .filter(({ lists }) => lists.includes(list as ReadinessList))
          .map((item) => [item.line, item.state, item.by, item.sentence, moment(item.since)]),
        'Empty.',
      ),
    ]),
    heading('Sign-offs'),
    table(
      ['item', 'by', 'at', 'until', 'note', 'counts'],
      attestations.map((one) => [
        ...[one.item, one.by.name, moment(one.at), moment(one.expiresAt), one.note],
        one.counts ? 'yes' : `no: ${one.why}`,
      ]),
      'Nobody has signed anything off.',
    ),
    heading('Promotions'),
    table(
      ['from', 'validated', 'key', 'handed in by', 'at', 'reason', 'counts'],
      promotions.map((one) => [
        ...[one.forced ? 'FORCED, without a report' : (one.from ?? '-'), moment(one.validatedAt), one.kid ?? '-'],
        ...[
          `${one.by.name} (${one.by.level})`,
          moment(one.at),
          one.reason ?? '-',
          one.counts ? 'yes' : `no: ${one.why}`,
        ],
      ]),
      'None.',
    ),
  ]
}
