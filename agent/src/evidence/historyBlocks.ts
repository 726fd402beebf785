import type { Operation, EvidenceReport } from '../contract/index.ts'
import {
  truncateText,
  codeBlock,
  heading,
  formatInstant,
  formatNumber,
  table,
  paragraph,
  type ReportBlock,
} from './reportBlocks.ts'

/** Who did what when, what was changed in the system, and by which file. */
export function historyBlocks(report: EvidenceReport): ReportBlock[] {
  const { operations, rollbacks, changes, events, file } = report
  return [
    heading('Operations'),
    operationTable(operations, 'None.'),
    heading('Rollbacks, and the flag turned off'),
    operationTable(rollbacks, 'None.'),
    heading('Incidents'),
    table(
      ['incident', 'rule', 'severity', 'about', 'opened', 'acknowledged', 'rolled back', 'closed', 'summary'],
      (report.incidents ?? []).map((one) => [
        ...[
          `${one.id}${one.drill ? ' (drill)' : ''}`,
          one.rule,
          one.severity,
          one.change ?? '-',
          formatInstant(one.openedAt),
        ],
        one.acknowledgedBy === null
          ? 'by nobody'
          : `${one.acknowledgedBy.name} after ${Math.round(one.acknowledgedSeconds ?? 0)} s${one.late ? ', late' : ''}`,
        ...[
          one.rollback?.scope ?? '',
          one.closedAt === null ? 'open' : formatInstant(one.closedAt),
          truncateText(one.summary),
        ],
      ]),
      'None.',
    ),
    heading('Changes to the system'),
    table(
      ['kind', 'object', 'made', 'by operation', 'statement', 'taken back'],
      changes.map((one) => [
        ...[one.kind, one.object, formatInstant(one.at), String(one.operationId), truncateText(one.statement)],
        one.left !== null ? `left: ${one.left}` : one.revertedAt === null ? 'no' : formatInstant(one.revertedAt),
      ]),
      'None.',
    ),
    heading('Events'),
    paragraph(
      `${formatNumber(events.total)} in all, ${formatNumber(events.entries.length)} of them here. Each hash covers the event and the hash of the one before it, in the order of the whole database; the head is ${events.head}.`,
    ),
    table(
      ['event', 'at', 'operation', 'by', 'kind', 'message', 'reason', 'hash'],
      events.entries.map((event) => [
        ...[String(event.id), formatInstant(event.at), event.operationId === null ? '-' : String(event.operationId)],
        ...[
          `${event.actor.name} (${event.actor.via})`,
          event.kind,
          event.message,
          event.reason ?? '',
          event.hash.slice(0, 16),
        ],
      ]),
      'None.',
    ),
    heading('Rollout file'),
    paragraph(`SHA-256 ${file.hash}, over the file with the phones and e-mail addresses that are left out here.`),
    codeBlock(file.text),
  ]
}

function operationTable(operations: readonly Operation[], none: string): ReportBlock {
  return table(
    ['operation', 'kind', 'state', 'by', 'asked for', 'ended', 'reason', 'parameters', 'result'],
    operations.map((one) => [
      ...[
        String(one.id),
        one.kind,
        one.state,
        `${one.actor.name} (${one.actor.level})`,
        formatInstant(one.createdAt),
        formatInstant(one.endedAt),
      ],
      ...[
        one.reason ?? '',
        formatParameters(one),
        one.error ?? (one.result === null ? '' : truncateText(JSON.stringify(one.result))),
      ],
    ]),
    none,
  )
}

/** What passed by the gate is not to be overlooked. */
function formatParameters({ parameters }: Operation): string {
  return `${parameters['force'] === true ? 'FORCED ' : ''}${truncateText(JSON.stringify(parameters))}`
}
