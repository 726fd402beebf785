import type { EvidenceReport, SignedReport } from '../contract/index.ts'
import {
  codeBlock,
  heading,
  formatInstant,
  formatMeasuredRatio,
  paragraph,
  table,
  type ReportBlock,
} from './reportBlocks.ts'
import { controlGroupBlocks } from './controlGroupBlocks.ts'
import { historyBlocks } from './historyBlocks.ts'
import { validationBlocks } from './validationBlocks.ts'
import { readinessBlocks } from './readinessBlocks.ts'

/** The contents of a report, in the order in which a decision maker reads it. */
export function buildReportDocument(signed: SignedReport): ReportBlock[] {
  const { report } = signed
  return [
    heading(`Rollout ${report.rollout} in ${report.environment}`, 1),
    ...summaryBlocks(report),
    ...validationBlocks(report),
    ...controlGroupBlocks(report),
    ...readinessBlocks(report),
    ...historyBlocks(report),
    ...signatureBlocks(signed),
  ]
}

function summaryBlocks(report: EvidenceReport): ReportBlock[] {
  const { validation, failedRows } = report
  const forced = report.promotions.filter((promotion) => promotion.forced && promotion.counts).length
  return [
    table(
      ['', ''],
      [
        ['Generated', `${formatInstant(report.generatedAt)} UTC by ${report.generatedBy}`],
        ['Environment', `${report.environment}${report.production ? ' (production)' : ''}`],
        ['Agent', `${report.agent.name}, version ${report.agent.version}, contract ${report.agent.contract}`],
        ['Table', report.table],
        ['Stage', report.stage],
        ['Coverage', formatMeasuredRatio(report.coverage)],
        [
          'Last validation',
          validation === null
            ? 'none has finished'
            : `${validation.verdict}, ended ${formatInstant(validation.endedAt)} UTC`,
        ],
        [
          'Still valid',
          report.verified
            ? 'yes'
            : 'no: it did not pass, it used a different rollout file, or a bulk write has run since',
        ],
        ['Failed rows', `${failedRows.open} open, ${failedRows.accepted} accepted, ${failedRows.recovered} recovered`],
        ['Rollout file', report.file.hash],
        ['Promotion hash', `${report.file.promotionHash} (covers what must be identical in every environment)`],
        ...(forced > 0 ? [['Forced promotion', 'an admin approved it without a report, see Promotions']] : []),
      ],
      '',
    ),
    paragraph('All times are in UTC by the database clock. All hashes are SHA-256.'),
  ]
}

function signatureBlocks({ hash, signature, unsigned }: SignedReport): ReportBlock[] {
  return [
    heading('Signature'),
    paragraph(`SHA-256 of the canonical JSON of the report (RFC 8785): ${hash}`),
    signature === null ? paragraph(`Unsigned. ${unsigned}`) : codeBlock(signature),
    paragraph(
      'To verify the signature, download the report as JSON and run: sti verify report.json --keys trusted.json',
    ),
  ]
}
