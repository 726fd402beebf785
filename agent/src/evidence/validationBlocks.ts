import { signalUnit, type BaselineComparisonItem, type CheckResult, type EvidenceReport } from '../contract/index.ts'
import { formatCount, formatQuantity, formatValue, type Unit } from '../format/format.ts'
import {
  codeBlock,
  heading,
  formatInstant,
  formatMeasuredRatio,
  table,
  paragraph,
  type ReportBlock,
} from './reportBlocks.ts'

/** The report lists this many queries, slowest against the baseline first; the JSON contains all of them. */
const MAX_LISTED_QUERIES = 20

/** Checks with their values, limits and queries; the baseline; coverage over time; failed rows. */
export function validationBlocks(report: EvidenceReport): ReportBlock[] {
  const { validation, failedRows } = report
  const unlistedRows = failedRows.open + failedRows.accepted - failedRows.rows.length
  return [
    heading('Checks'),
    ...(validation === null ? [paragraph('No validation has finished yet.')] : checkBlocks(validation.checks)),
    heading('Baseline'),
    ...baselineBlocks(report),
    heading('Rows by current and expected type'),
    table(
      ['Current type', 'Expected from legacy columns', 'Rows'],
      (validation?.confusion ?? []).map(({ actual, expected, rows }) => [
        actual ?? 'NULL',
        expected ?? 'NULL',
        formatCount(rows),
      ]),
      'The last validation did not read the table.',
    ),
    heading('Coverage over time'),
    ...coverageBlocks(report),
    heading('Failed rows'),
    table(
      ['Key', 'SQLSTATE', 'Attempts', 'Message', 'Accepted'],
      failedRows.rows.map((row) => [
        row.key.join(', '),
        row.sqlstate,
        String(row.attempts),
        row.message,
        row.accepted ?? '',
      ]),
      'None.',
    ),
    ...(unlistedRows > 0 ? [paragraph(`${formatQuantity(unlistedRows, 'more row')} not listed here.`)] : []),
  ]
}

function checkBlocks(checks: readonly CheckResult[]): ReportBlock[] {
  return [
    table(
      ['Layer', 'Check', 'Verdict', 'Value', 'Limit', 'Discrepancies', 'Detail'],
      checks.map((check) => [
        check.layer,
        check.check,
        check.verdict,
        formatValue(check.value, check.unit),
        formatValue(check.limit, check.unit),
        formatCount(check.discrepancies),
        formatDetail(check),
      ]),
      'The validation ran no checks.',
    ),
    ...queryBlocks(checks),
  ]
}

/** Several checks may share one query, since the table is read once for all of them. */
function queryBlocks(checks: readonly CheckResult[]): ReportBlock[] {
  const checksByQuery = new Map<string, string[]>()
  for (const { check, query } of checks) {
    if (query !== null) checksByQuery.set(query, [...(checksByQuery.get(query) ?? []), check])
  }
  return [...checksByQuery].flatMap(([query, names]) => [paragraph(`Query for ${names.join(', ')}:`), codeBlock(query)])
}

function formatDetail({ detail, sampleKeys, accepted }: CheckResult): string {
  const example = sampleKeys.length === 0 ? '' : ` (e.g. ${sampleKeys.map((key) => key.join('/')).join(', ')})`
  const acceptances = accepted.map(
    ({ by, expiresAt, subject, reason }) =>
      `; accepted by ${by} until ${expiresAt.slice(0, 10)} (${subject}): ${reason}`,
  )
  return `${detail}${example}${acceptances.join('')}`
}

function baselineBlocks({ baseline: comparison }: EvidenceReport): ReportBlock[] {
  if (comparison === null) return [paragraph('This rollout has no baseline.')]
  const { baseline, from, until, notes, signals, queries } = comparison
  const { id, source, release, startedAt, endedAt, digest } = baseline
  const releaseLabel = release === null ? '' : ` for release ${release}`
  return [
    paragraph(
      `Baseline ${id}${releaseLabel} (${source}) covers ${formatInstant(startedAt)} to ${formatInstant(endedAt)} and is compared with ${formatInstant(from)} to ${formatInstant(until)}. SHA-256: ${digest}. Values are means.`,
    ),
    ...notes.map(paragraph),
    comparisonTable('Signal', signals, (name) => signalUnit(name) ?? 'count', 'The baseline contains no signals.'),
    comparisonTable('Query', queries.slice(0, MAX_LISTED_QUERIES), () => 'seconds', 'No queries were recorded.'),
  ]
}

function comparisonTable(
  title: string,
  items: readonly BaselineComparisonItem[],
  unitOf: (name: string) => Unit,
  emptyText: string,
): ReportBlock {
  return table(
    [title, 'Verdict', 'Baseline', 'Now', 'Now / baseline', 'Limit', 'Detail'],
    items.map((item) => [
      item.name,
      item.verdict ?? 'not judged',
      formatValue(item.baseline, unitOf(item.name)),
      formatValue(item.now, unitOf(item.name)),
      formatValue(item.ratio, 'multiple'),
      formatValue(item.limit, item.name === 'api-error-ratio' ? 'ratio' : 'multiple'),
      item.detail,
    ]),
    emptyText,
  )
}

function coverageBlocks({ validations, progress }: EvidenceReport): ReportBlock[] {
  const coveragePoints = validations.flatMap(({ endedAt, coverage }) =>
    coverage === null ? [] : [{ at: endedAt, ratio: coverage }],
  )
  const backfillPoints = progress.map(({ at, processedRows, totalRows }) => ({
    at,
    ratio: totalRows === 0 ? 1 : Math.min(1, processedRows / totalRows),
  }))
  return [
    ...chartBlocks('Coverage measured by validations', coveragePoints),
    ...chartBlocks('Rows processed by backfills', backfillPoints),
    table(
      ['Validation', 'Ended', 'Verdict', 'Coverage', 'Integrity score', 'Rollout file'],
      validations.map((validation) => [
        String(validation.id),
        formatInstant(validation.endedAt),
        validation.verdict,
        formatMeasuredRatio(validation.coverage),
        formatMeasuredRatio(validation.integrityScore),
        validation.fileHash.slice(0, 12),
      ]),
      'No validation has finished yet.',
    ),
  ]
}

/** A line needs two points. */
function chartBlocks(title: string, points: { at: string; ratio: number }[]): ReportBlock[] {
  return points.length > 1 ? [{ kind: 'chart', title, points }] : []
}
