import {
  describeComparison,
  describeStaleClients,
  acceptCheckCommand,
  type CheckResult,
  type FlagStatus,
  type Operation,
  type OperationPreview,
  type OperationProgress,
  type RolloutDetail,
  type RolloutSummary,
  type Validation,
} from '../contract/index.ts'
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatQuantity,
  formatValue,
} from '../format/format.ts'
import { formatProgress } from './progressView.ts'
import { alignRows } from './table.ts'

/** Seconds between two ISO 8601 instants, or from `from` until now; at least 0. */
export const secondsBetween = (from: string, to: string | null): number =>
  Math.max(0, ((to === null ? Date.now() : Date.parse(to)) - Date.parse(from)) / 1000)

export function formatFlag(flag: RolloutSummary['flag']): string {
  const state = flag.enabled ? `on at ${flag.percentage}%` : 'off'
  const stale = flag.clients.filter((client) => client.stale).length
  const remarks = [
    flag.persisted ? null : 'the database has not stored this yet',
    stale > 0 ? `${stale} of ${flag.clients.length} clients stale` : null,
  ].filter((remark) => remark !== null)
  return remarks.length > 0 ? `${state} (${remarks.join(', ')})` : state
}

export const formatCoverage = (coverage: number | null): string =>
  coverage === null ? 'not measured' : formatPercent(coverage)

export function formatSummaryRows(summaries: readonly RolloutSummary[]): string[][] {
  return summaries.map((summary) => [
    summary.environment,
    summary.rollout,
    summary.stage,
    formatCoverage(summary.coverage),
    formatFlag(summary.flag),
    summary.running ? `${summary.running.kind} ${summary.running.id} ${summary.running.state}` : '-',
    summary.faults.length > 0
      ? formatQuantity(summary.faults.length, 'fault')
      : formatQuantity(summary.failedRows, 'failed row'),
  ])
}

export const SUMMARY_COLUMNS = ['ENVIRONMENT', 'ROLLOUT', 'STAGE', 'COVERAGE', 'FLAG', 'RUNNING', 'ROWS']

export function formatRolloutDetail(detail: RolloutDetail, width?: number): string[] {
  const running = detail.running
  const facts = [
    ['rollout', `${detail.rollout} in ${detail.environment}, table ${detail.table}`],
    ['stage', detail.stage],
    ['coverage', formatCoverage(detail.coverage)],
    ['flag', `${detail.flag.key} ${formatFlag(detail.flag)}`],
    ['clients', `${detail.flag.clients.length}, ${detail.flag.consistent ? 'consistent' : 'not consistent'}`],
    ...formatPendingOff(detail.flag),
    ...(detail.comparison == null ? [] : [['compared', describeComparison(detail.comparison)]]),
    ['failed rows', formatCount(detail.failedRows)],
    ['running', running ? formatOperation(running) : 'nothing'],
    ['validation', detail.validation ? formatLatestValidation(detail.validation) : 'none'],
    ['baseline', detail.baseline ? formatLatestBaseline(detail.baseline) : 'none'],
  ]
  const lines = alignRows(facts, width).flat()
  const stale = describeStaleClients(detail.flag)
  if (stale !== null) lines.push(`stale: ${stale}`)
  for (const fault of detail.faults) lines.push(`fault: ${fault}`)
  for (const note of detail.notes) lines.push(`note: ${note}`)
  const allowed = detail.actions.filter((action) => action.allowed).map((action) => action.action)
  lines.push(`allowed now: ${allowed.join(', ') || 'nothing'}`)
  for (const action of detail.actions.filter((candidate) => !candidate.allowed)) {
    lines.push(`  ${action.action}: ${action.reasons.join(' ')}`)
  }
  return lines
}

/** What keeps an off from being stored, and if it outlives the agent. */
function formatPendingOff({ pendingOff }: FlagStatus): string[][] {
  if (pendingOff === null) return []
  const { since, error, spooled } = pendingOff
  const kept = spooled ? 'kept in a file of the agent' : 'in the memory of the agent only: do not restart it'
  return [['not stored', `off since ${since}, ${kept}: ${error ?? 'the database has not answered yet'}`]]
}

export function formatOperation(operation: Operation): string {
  const { startedAt, endedAt, progress } = operation
  const elapsed =
    startedAt && endedAt && endedAt > startedAt ? ` in ${formatDuration(secondsBetween(startedAt, endedAt))}` : ''
  const head = `${operation.kind} ${operation.id} ${operation.state}${elapsed}`
  if (operation.error) return `${head}: ${operation.error}`
  if (!progress) return head
  return `${head}: ${endedAt ? formatOutcome(progress) : formatProgress(progress)}`
}

/** The result of a table walk: `52.1%, 521,000 of 1,000,000 rows, 520,000 written`. */
function formatOutcome(progress: OperationProgress): string {
  if (progress.unit !== undefined) return formatProgress(progress)
  const failed = progress.failedRows > 0 ? `, ${formatCount(progress.failedRows)} failed` : ''
  const written = progress.writtenRows > 0 ? `, ${formatCount(progress.writtenRows)} written` : ''
  return `${formatPercent(progress.ratio)}, ${formatCount(progress.processedRows)} of ${formatCount(progress.totalRows)} rows${written}${failed}`
}

/** The kind with what distinguishes two operations of a kind: the scope of a rollback, the flag's new state. */
function formatKind({ kind, parameters }: Operation): string {
  const { scope, enabled } = parameters
  if (kind === 'rollback' && typeof scope === 'string') return `${kind} ${scope}`
  if (kind === 'flag' && typeof enabled === 'boolean') return `${kind} ${enabled ? 'on' : 'off'}`
  return kind
}

export const OPERATION_COLUMNS = ['ID', 'KIND', 'STATE', 'STARTED', 'DURATION', 'ACTOR', 'REASON']

export function formatOperationRow(operation: Operation): string[] {
  const { startedAt } = operation
  return [
    String(operation.id),
    formatKind(operation),
    operation.state,
    startedAt?.slice(0, 19).replace('T', ' ') ?? '-',
    startedAt ? formatDuration(secondsBetween(startedAt, operation.endedAt)) : '-',
    operation.actor.name,
    operation.error ?? operation.reason ?? '-',
  ]
}

function formatLatestBaseline({ id, release, endedAt, unusable }: NonNullable<RolloutDetail['baseline']>): string {
  const head = `${id}${release === null ? '' : ` of ${release}`}, ${formatAgo(endedAt)}`
  return unusable[0] === undefined ? head : `${head}, not usable: ${unusable[0]}`
}

function formatLatestValidation(validation: Validation): string {
  const ended = validation.endedAt ? formatAgo(validation.endedAt) : 'running'
  return `${validation.verdict}, ${ended}, ${formatQuantity(validation.checks.length, 'check')}`
}

/** The checks by layer. A layer that the rollout file does not require is marked, since it does not affect the verdict. */
export function formatValidation(validation: Validation, width?: number): string[] {
  const lines: string[] = []
  const rows = validation.checks.map((check) => [
    `  ${check.verdict}`,
    check.check,
    formatCheckValue(check),
    check.detail,
  ])
  const linesOfCheck = new Map(alignRows(rows, width).map((text, index) => [validation.checks[index], text]))
  for (const layer of validation.layers) {
    const remarks = [layer.complete ? null : 'some checks only', layer.required ? null : 'not required'].filter(
      (remark) => remark !== null,
    )
    lines.push(`${layer.layer}: ${layer.verdict}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`)
    const layerChecks = validation.checks.filter((check) => check.layer === layer.layer)
    if (layerChecks.length === 0) lines.push(`  ${layer.detail}`)
    for (const check of layerChecks) {
      lines.push(...linesOfCheck.get(check)!)
      for (const { by, expiresAt, subject, reason } of check.accepted)
        lines.push(`    accepted by ${by} until ${expiresAt.slice(0, 10)} (${subject}): ${reason}`)
      if (check.acceptable.length > 0)
        lines.push(`    if an admin knows that it is safe: ${acceptCheckCommand(check.check)}, then validate again`)
      if (check.sampleKeys.length > 0) lines.push(`    rows ${check.sampleKeys.map((key) => key.join('/')).join(', ')}`)
    }
  }
  const score =
    validation.integrityScore === null ? '' : `, integrity score ${formatPercent(validation.integrityScore)}`
  const rowsText = validation.totalRows === null ? '' : ` of ${formatCount(validation.totalRows)} rows`
  const coverage = validation.coverage === null ? 'table not read' : `coverage ${formatPercent(validation.coverage)}`
  lines.push(`${coverage}${rowsText}${score}: ${validation.verdict}`)
  return lines
}

/** `93% (limit 80%)`, in the unit of the check. */
function formatCheckValue({ value, limit, unit }: CheckResult): string {
  return `${formatValue(value, unit)}${limit === null ? '' : ` (limit ${formatValue(limit, unit)})`}`
}

export function formatPreview(preview: OperationPreview): string[] {
  const facts = [
    preview.rows === null || preview.rows === 0 ? null : formatQuantity(preview.rows, 'row'),
    preview.estimatedSeconds === null ? null : `about ${formatDuration(preview.estimatedSeconds)}`,
    preview.estimatedWalBytes === null || preview.estimatedWalBytes === 0
      ? null
      : `about ${formatBytes(preview.estimatedWalBytes)} of WAL`,
  ].filter((fact) => fact !== null)
  return [
    `${preview.kind} of ${preview.rollout} in ${preview.environment}${facts.length ? `: ${facts.join(', ')}` : ''}`,
    ...(preview.estimateBasis === null ? [] : [`  estimate: ${preview.estimateBasis}`]),
    ...preview.notes.map((note) => `  note: ${note}`),
    ...preview.warnings.map((warning) => `  warning: ${warning}`),
    ...preview.statements.flatMap((statement) =>
      statement.split(/\n\s*/).map((line, index) => `${index === 0 ? '  sql: ' : '       '}${line}`),
    ),
    ...preview.reasons.map((reason) => `  refused: ${reason}`),
  ]
}
