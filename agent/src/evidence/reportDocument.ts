import type { EvidenceReport, SignedReport } from '../contract/index.ts'
import { heading, formatInstant, formatPercent, paragraph, table, type ReportBlock } from './reportBlocks.ts'
import { historyBlocks } from './historyBlocks.ts'
import { validationBlocks } from './validationBlocks.ts'
import { readinessBlocks } from './readinessBlocks.ts'

/** What a report says, in the order in which somebody who has to decide reads it. */
export function buildReportDocument(signed: SignedReport): ReportBlock[] {
  const { report } = signed
  return [
    heading(`Rollout ${report.rollout} in ${report.environment}`, 1),
    ...summaryBlocks(report),
    ...validationBlocks(report),
    ...readinessBlocks(report),
    ...historyBlocks(report),
    ...signatureBlocks(signed),
  ]
}

function summaryBlocks(report: EvidenceReport): ReportBlock[] {
  const { validation, failedRows } = report
  const forced = report.promotions.filter((one) => one.forced && one.counts).length
  return [
    table(
      ['', ''],
      [
        ['written', `${formatInstant(report.generatedAt)} UTC, for ${report.generatedBy}`],
        ['environment', `${report.environment}${report.production ? ' (production)' : ''}`],
        ['agent', `${report.agent.name}, version ${report.agent.version}, contract ${report.agent.contract}`],
        ['table', report.table],
        ['stage', report.stage],
        ['coverage', formatPercent(report.coverage)],
        [
          'last validation',
          validation === null
            ? 'none has ended'
            : `${validation.verdict}, ended ${formatInstant(validation.endedAt)} UTC`,
        ],
        [
          'it still counts',
          report.verified ? 'yes' : 'no: it did not pass, is of another file, or rows were written in bulk since',
        ],
        [
          'failed rows',
          `${failedRows.open} open, ${failedRows.accepted} accepted, ${failedRows.recovered} right by now`,
        ],
        ['rollout file', report.file.hash],
        ['what must be the same everywhere', report.file.promotionHash],
        ...(forced > 0 ? [['forced promotion', 'an admin answered for it instead of a report, see Promotions']] : []),
      ],
      '',
    ),
    paragraph('All times are UTC, by the clock of the database. All hashes are SHA-256.'),
  ]
}

function signatureBlocks({ hash, signature, unsigned }: SignedReport): ReportBlock[] {
  return [
    heading('Signature'),
    paragraph(`SHA-256 of the report's canonical JSON (RFC 8785): ${hash}`),
    signature === null ? paragraph(`Unsigned. ${unsigned}`) : { kind: 'code', text: signature },
    paragraph('To verify it, take the report as JSON: sti verify report.json --keys trusted.json'),
  ]
}
