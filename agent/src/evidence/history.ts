import type { Operation, Report } from '../contract/index.ts'
import { brief, code, heading, moment, number, table, text, type Block } from './blocks.ts'

/** Who did what when, what was changed in the system, and by which file. */
export function historyBlocks(report: Report): Block[] {
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
        ...[`${one.id}${one.drill ? ' (drill)' : ''}`, one.rule, one.severity, one.change ?? '-', moment(one.openedAt)],
        one.acknowledgedBy === null
          ? 'by nobody'
          : `${one.acknowledgedBy.name} after ${Math.round(one.acknowledgedSeconds ?? 0)} s${one.late ? ', late' : ''}`,
        ...[one.rollback?.scope ?? '', one.closedAt === null ? 'open' : moment(one.closedAt), brief(one.summary)],
      ]),
      'None.',
    ),
    heading('Changes to the system'),
    table(
      ['kind', 'object', 'made', 'by operation', 'statement', 'taken back'],
      changes.map((one) => [
        ...[one.kind, one.object, moment(one.at), String(one.operationId), brief(one.statement)],
        one.left !== null ? `left: ${one.left}` : one.revertedAt === null ? 'no' : moment(one.revertedAt),
      ]),
      'None.',
    ),
    heading('Events'),
    text(
      `${number(events.total)} in all, ${number(events.entries.length)} of them here. Each hash covers the event and the hash of the one before it, in the order of the whole database; the head is ${events.head}.`,
    ),
    table(
      ['event', 'at', 'operation', 'by', 'kind', 'message', 'reason', 'hash'],
      events.entries.map((event) => [
        ...[String(event.id), moment(event.at), event.operationId === null ? '-' : String(event.operationId)],
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
    text(`SHA-256 ${file.hash}, over the file with the phones and e-mail addresses that are left out here.`),
    code(file.text),
  ]
}

function operationTable(operations: readonly Operation[], none: string): Block {
  return table(
    ['operation', 'kind', 'state', 'by', 'asked for', 'ended', 'reason', 'parameters', 'result'],
    operations.map((one) => [
      ...[
        String(one.id),
        one.kind,
        one.state,
        `${one.actor.name} (${one.actor.level})`,
        moment(one.createdAt),
        moment(one.endedAt),
      ],
      ...[
        one.reason ?? '',
        parametersOf(one),
        one.error ?? (one.result === null ? '' : brief(JSON.stringify(one.result))),
      ],
    ]),
    none,
  )
}

/** What passed by the gate is not to be overlooked. */
function parametersOf({ parameters }: Operation): string {
  return `${parameters['force'] === true ? 'FORCED ' : ''}${brief(JSON.stringify(parameters))}`
}
