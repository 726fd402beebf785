import type { CheckResult, Report } from '../contract/index.ts'
import { code, heading, moment, number, percent, table, text, type Block } from './blocks.ts'

/** Checks with number, limit, verdict and query; coverage over time; what failed. */
export function proofBlocks(report: Report): Block[] {
  const { validation, failedRows } = report
  return [
    heading('Checks'),
    ...(validation === null ? [text('No validation has ended yet.')] : checkBlocks(validation.checks)),
    heading('Baseline'),
    ...baselineBlocks(report),
    heading('Rows by the type they hold and the type that their legacy columns say'),
    table(
      ['holds', 'should hold', 'rows'],
      (validation?.confusion ?? []).map(({ actual, expected, rows }) => [
        actual ?? 'NULL',
        expected ?? 'NULL',
        number(rows),
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
      ? [text(`… and ${number(failedRows.open + failedRows.accepted - failedRows.rows.length)} more.`)]
      : []),
  ]
}

function checkBlocks(checks: readonly CheckResult[]): Block[] {
  return [
    table(
      ['layer', 'check', 'verdict', 'number', 'limit', 'rows against it', 'detail'],
      checks.map((check) => [
        ...[check.layer, check.check, check.verdict, number(check.value), number(check.limit)],
        ...[number(check.discrepancies), detailOf(check)],
      ]),
      'It had no check.',
    ),
    ...queryBlocks(checks),
  ]
}

/** Several checks may be answered by one reading of the table. */
function queryBlocks(checks: readonly CheckResult[]): Block[] {
  const asking = new Map<string, string[]>()
  for (const { check, query } of checks) {
    if (query !== null) asking.set(query, [...(asking.get(query) ?? []), check])
  }
  return [...asking].flatMap(([query, names]) => [text(`The query of ${names.join(', ')}:`), code(query)])
}

function detailOf({ detail, sampleKeys }: CheckResult): string {
  return sampleKeys.length === 0 ? detail : `${detail} (such as ${sampleKeys.map((key) => key.join('/')).join(', ')})`
}

function baselineBlocks({ baseline: compared }: Report): Block[] {
  if (compared === null) return [text('There is none.')]
  const { baseline, from, until, notes } = compared
  const { id, source, release, startedAt, endedAt, digest } = baseline
  const of = release === null ? '' : ` of release ${release}`
  const rows = (all: typeof compared.signals): string[][] =>
    all.map((one) => [
      ...[one.name, one.verdict ?? 'not judged', number(one.baseline), number(one.now), number(one.ratio)],
      ...[number(one.limit), one.detail],
    ])
  const head = (what: string): string[] => [what, 'verdict', 'baseline', 'now', 'now / baseline', 'limit', 'detail']
  return [
    text(
      `Baseline ${id}${of} (${source}), from ${moment(startedAt)} to ${moment(endedAt)}, SHA-256 ${digest}; now is from ${moment(from)} to ${moment(until)}. Means, in seconds, ratios and per second.`,
    ),
    ...notes.map(text),
    table(head('signal'), rows(compared.signals), 'It has no signal.'),
    table(head('query'), rows(compared.queries.slice(0, QUERIES)), 'Both know no query.'),
  ]
}

/** Of the queries so many are shown, the slowest against the baseline first; the JSON has all. */
const QUERIES = 20

function coverageBlocks({ validations, progress }: Report): Block[] {
  const counted = validations.flatMap(({ endedAt, coverage }) =>
    coverage === null ? [] : [{ at: endedAt, ratio: coverage }],
  )
  const backfill = progress.map(({ at, processedRows, totalRows }) => ({
    at,
    ratio: totalRows === 0 ? 1 : Math.min(1, processedRows / totalRows),
  }))
  return [
    ...(counted.length > 1
      ? [{ kind: 'chart', title: 'Coverage, as validations counted it', points: counted } as const]
      : []),
    ...(backfill.length > 1
      ? [{ kind: 'chart', title: 'Rows right while backfills ran', points: backfill } as const]
      : []),
    table(
      ['validation', 'ended', 'verdict', 'coverage', 'integrity score', 'rollout file'],
      validations.map((one) => [
        ...[String(one.id), moment(one.endedAt), one.verdict, percent(one.coverage), percent(one.integrityScore)],
        one.fileHash.slice(0, 12),
      ]),
      'No validation has ended yet.',
    ),
  ]
}
