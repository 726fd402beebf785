import type { CheckResult, EvidenceReport } from '../contract/index.ts'
import {
  codeBlock,
  heading,
  formatInstant,
  formatNumber,
  formatPercent,
  table,
  paragraph,
  type ReportBlock,
} from './reportBlocks.ts'

/** Checks with number, limit, verdict and query; coverage over time; what failed. */
export function validationBlocks(report: EvidenceReport): ReportBlock[] {
  const { validation, failedRows } = report
  return [
    heading('Checks'),
    ...(validation === null ? [paragraph('No validation has ended yet.')] : checkBlocks(validation.checks)),
    heading('Baseline'),
    ...baselineBlocks(report),
    heading('Rows by the type they hold and the type that their legacy columns say'),
    table(
      ['holds', 'should hold', 'rows'],
      (validation?.confusion ?? []).map(({ actual, expected, rows }) => [
        actual ?? 'NULL',
        expected ?? 'NULL',
        formatNumber(rows),
      ]),
      'Not counted.',
    ),
    heading('Coverage over time'),
    ...coverageBlocks(report),
    heading('Failed rows'),
    table(
      ['key', 'SQLSTATE', 'attempts', 'message', 'accepted'],
      failedRows.rows.map((row) => [
        row.key.join(', '),
        row.sqlstate,
        String(row.attempts),
        row.message,
        row.accepted ?? '',
      ]),
      'None.',
    ),
    ...(failedRows.open + failedRows.accepted > failedRows.rows.length
      ? [paragraph(`… and ${formatNumber(failedRows.open + failedRows.accepted - failedRows.rows.length)} more.`)]
      : []),
  ]
}

function checkBlocks(checks: readonly CheckResult[]): ReportBlock[] {
  return [
    table(
      ['layer', 'check', 'verdict', 'number', 'limit', 'rows against it', 'detail'],
      checks.map((check) => [
        ...[check.layer, check.check, check.verdict, formatNumber(check.value), formatNumber(check.limit)],
        ...[formatNumber(check.discrepancies), formatDetail(check)],
      ]),
      'It had no check.',
    ),
    ...queryBlocks(checks),
  ]
}

/** Several checks may be answered by one reading of the table. */
function queryBlocks(checks: readonly CheckResult[]): ReportBlock[] {
  const checksByQuery = new Map<string, string[]>()
  for (const { check, query } of checks) {
    if (query !== null) checksByQuery.set(query, [...(checksByQuery.get(query) ?? []), check])
  }
  return [...checksByQuery].flatMap(([query, names]) => [
    paragraph(`The query of ${names.join(', ')}:`),
    codeBlock(query),
  ])
}

function formatDetail({ detail, sampleKeys }: CheckResult): string {
  return sampleKeys.length === 0 ? detail : `${detail} (such as ${sampleKeys.map((key) => key.join('/')).join(', ')})`
}

function baselineBlocks({ baseline: comparison }: EvidenceReport): ReportBlock[] {
  if (comparison === null) return [paragraph('There is none.')]
  const { baseline, from, until, notes } = comparison
  const { id, source, release, startedAt, endedAt, digest } = baseline
  const releaseLabel = release === null ? '' : ` of release ${release}`
  const rows = (all: typeof comparison.signals): string[][] =>
    all.map((one) => [
      ...[
        one.name,
        one.verdict ?? 'not judged',
        formatNumber(one.baseline),
        formatNumber(one.now),
        formatNumber(one.ratio),
      ],
      ...[formatNumber(one.limit), one.detail],
    ])
  const head = (what: string): string[] => [what, 'verdict', 'baseline', 'now', 'now / baseline', 'limit', 'detail']
  return [
    paragraph(
      `Baseline ${id}${releaseLabel} (${source}), from ${formatInstant(startedAt)} to ${formatInstant(endedAt)}, SHA-256 ${digest}; now is from ${formatInstant(from)} to ${formatInstant(until)}. Means, in seconds, ratios and per second.`,
    ),
    ...notes.map(paragraph),
    table(head('signal'), rows(comparison.signals), 'It has no signal.'),
    table(head('query'), rows(comparison.queries.slice(0, MAX_LISTED_QUERIES)), 'Both know no query.'),
  ]
}

/** Of the queries so many are shown, the slowest against the baseline first; the JSON has all. */
const MAX_LISTED_QUERIES = 20

function coverageBlocks({ validations, progress }: EvidenceReport): ReportBlock[] {
  const coveragePoints = validations.flatMap(({ endedAt, coverage }) =>
    coverage === null ? [] : [{ at: endedAt, ratio: coverage }],
  )
  const backfillPoints = progress.map(({ at, processedRows, totalRows }) => ({
    at,
    ratio: totalRows === 0 ? 1 : Math.min(1, processedRows / totalRows),
  }))
  return [
    ...(coveragePoints.length > 1
      ? [{ kind: 'chart', title: 'Coverage, as validations counted it', points: coveragePoints } as const]
      : []),
    ...(backfillPoints.length > 1
      ? [{ kind: 'chart', title: 'Rows right while backfills ran', points: backfillPoints } as const]
      : []),
    table(
      ['validation', 'ended', 'verdict', 'coverage', 'integrity score', 'rollout file'],
      validations.map((one) => [
        ...[
          String(one.id),
          formatInstant(one.endedAt),
          one.verdict,
          formatPercent(one.coverage),
          formatPercent(one.integrityScore),
        ],
        one.fileHash.slice(0, 12),
      ]),
      'No validation has ended yet.',
    ),
  ]
}
