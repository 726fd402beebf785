import type { Operation, Preview, Progress, RolloutDetail, RolloutSummary, Validation } from '../contract/index.ts'
import { bytes, count, duration, percent, since } from './numbers.ts'
import { progressText } from './progressBar.ts'

/** Columns of equal width, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function flagText(flag: RolloutSummary['flag']): string {
  const state = flag.enabled ? `on at ${flag.percentage} %` : 'off'
  const stale = flag.clients.filter((client) => client.stale).length
  const remarks = [
    flag.persisted ? null : 'not yet persisted',
    stale > 0 ? `${stale} of ${flag.clients.length} clients stale` : null,
  ].filter((remark) => remark !== null)
  return remarks.length > 0 ? `${state} (${remarks.join(', ')})` : state
}

export const coverageText = (coverage: number | null): string => (coverage === null ? 'not counted' : percent(coverage))

export function summaryRows(summaries: readonly RolloutSummary[]): string[][] {
  return summaries.map((summary) => [
    summary.environment,
    summary.rollout,
    summary.stage,
    coverageText(summary.coverage),
    flagText(summary.flag),
    summary.running ? `${summary.running.kind} ${summary.running.id} ${summary.running.state}` : '-',
    summary.faults.length > 0 ? `${summary.faults.length} faults` : `${count(summary.failedRows)} failed rows`,
  ])
}

export const summaryHead = ['ENVIRONMENT', 'ROLLOUT', 'STAGE', 'COVERAGE', 'FLAG', 'RUNNING', 'ROWS']

export function detailLines(detail: RolloutDetail): string[] {
  const running = detail.running
  const lines = columns([
    ['rollout', `${detail.rollout} in ${detail.environment}, table ${detail.table}`],
    ['stage', detail.stage],
    ['coverage', coverageText(detail.coverage)],
    ['flag', `${detail.flag.key} ${flagText(detail.flag)}`],
    ['clients', `${detail.flag.clients.length}, ${detail.flag.consistent ? 'consistent' : 'not consistent'}`],
    ['failed rows', count(detail.failedRows)],
    ['running', running ? operationText(running) : 'nothing'],
    ['validation', detail.validation ? validationText(detail.validation) : 'none'],
    ['baseline', detail.baseline ? baselineText(detail.baseline) : 'none'],
  ])
  for (const fault of detail.faults) lines.push(`fault: ${fault}`)
  for (const note of detail.notes) lines.push(`note: ${note}`)
  const allowed = detail.actions.filter((action) => action.allowed).map((action) => action.action)
  lines.push(`allowed now: ${allowed.join(', ') || 'nothing'}`)
  for (const action of detail.actions.filter((one) => !one.allowed)) {
    lines.push(`  ${action.action}: ${action.reasons.join(' ')}`)
  }
  return lines
}

export function operationText(operation: Operation): string {
  const { startedAt, endedAt, progress } = operation
  const took = startedAt && endedAt && endedAt > startedAt ? ` in ${duration(since(startedAt, endedAt))}` : ''
  const head = `${operation.kind} ${operation.id} ${operation.state}${took}`
  if (operation.error) return `${head}: ${operation.error}`
  if (!progress) return head
  return `${head}: ${endedAt ? outcomeText(progress) : progressText(progress)}`
}

/** What a walk did in the end; `52.1 %  521,000 of 1,000,000 rows, 520,000 written`. */
function outcomeText(progress: Progress): string {
  if (progress.unit !== undefined) return progressText(progress)
  const failed = progress.failedRows > 0 ? `, ${count(progress.failedRows)} failed` : ''
  const written = progress.writtenRows > 0 ? `, ${count(progress.writtenRows)} written` : ''
  return `${percent(progress.ratio)}, ${count(progress.processedRows)} of ${count(progress.totalRows)} rows${written}${failed}`
}

/** What a list of operations has to tell apart: which rollback, and the flag on or off. */
function kindText({ kind, parameters }: Operation): string {
  const { scope, enabled } = parameters
  if (kind === 'rollback' && typeof scope === 'string') return `${kind} ${scope}`
  if (kind === 'flag' && typeof enabled === 'boolean') return `${kind} ${enabled ? 'on' : 'off'}`
  return kind
}

export const operationHead = ['ID', 'KIND', 'STATE', 'STARTED', 'TOOK', 'BY', 'WHY']

export function operationRow(operation: Operation): string[] {
  const { startedAt } = operation
  return [
    String(operation.id),
    kindText(operation),
    operation.state,
    startedAt?.slice(0, 19).replace('T', ' ') ?? '-',
    startedAt ? duration(since(startedAt, operation.endedAt)) : '-',
    operation.actor.name,
    operation.error ?? operation.reason ?? '-',
  ]
}

function baselineText({ id, release, endedAt, unusable }: NonNullable<RolloutDetail['baseline']>): string {
  const head = `${id}${release === null ? '' : ` of ${release}`}, ${duration(since(endedAt, null))} ago`
  return unusable[0] === undefined ? head : `${head}, not to be judged by: ${unusable[0]}`
}

function validationText(validation: Validation): string {
  const when = validation.endedAt ? `${duration(since(validation.endedAt, null))} ago` : 'running'
  return `${validation.verdict}, ${when}, ${validation.checks.length} checks`
}

/** Layer by layer; a layer that the rollout file does not require is named so, since it decides nothing. */
export function validationLines(validation: Validation): string[] {
  const lines: string[] = []
  const widths = [7, ...validation.checks.map((check) => check.check.length)]
  for (const layer of validation.layers) {
    const remarks = [layer.complete ? null : 'a part of it', layer.required ? null : 'not required'].filter(
      (remark) => remark !== null,
    )
    lines.push(`${layer.layer}: ${layer.verdict}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`)
    const own = validation.checks.filter((check) => check.layer === layer.layer)
    if (own.length === 0) lines.push(`  ${layer.detail}`)
    for (const check of own) {
      lines.push(`  ${check.verdict.padEnd(12)}  ${check.check.padEnd(Math.max(...widths))}  ${check.detail}`)
      if (check.sampleKeys.length > 0) lines.push(`    rows ${check.sampleKeys.map((key) => key.join('/')).join(', ')}`)
    }
  }
  const score = validation.integrityScore === null ? '' : `, integrity score ${percent(validation.integrityScore)}`
  const rowsText = validation.totalRows === null ? '' : ` of ${count(validation.totalRows)} rows`
  const counted = validation.coverage === null ? 'the table was not read' : `coverage ${percent(validation.coverage)}`
  lines.push(`${counted}${rowsText}${score}: ${validation.verdict}`)
  return lines
}

export function previewLines(preview: Preview): string[] {
  const facts = [
    preview.rows === null || preview.rows === 0 ? null : `${count(preview.rows)} rows`,
    preview.estimatedSeconds === null ? null : `about ${duration(preview.estimatedSeconds)}`,
    preview.estimatedWalBytes === null || preview.estimatedWalBytes === 0
      ? null
      : `about ${bytes(preview.estimatedWalBytes)} of WAL`,
  ].filter((fact) => fact !== null)
  return [
    `${preview.kind} of ${preview.rollout} in ${preview.environment}${facts.length ? `: ${facts.join(', ')}` : ''}`,
    ...(preview.estimateBasis === null ? [] : [`  measured: ${preview.estimateBasis}`]),
    ...preview.notes.map((note) => `  note: ${note}`),
    ...preview.statements.map((statement) => `  sql: ${statement.replace(/\n\s*/g, '\n       ')}`),
    ...preview.reasons.map((reason) => `  refused: ${reason}`),
  ]
}
