import type { Operation, EvidenceReport, Incident } from '../contract/index.ts'
import { formatCount, formatDuration, NO_VALUE } from '../format/format.ts'
import { truncateText, codeBlock, heading, formatInstant, table, paragraph, type ReportBlock } from './reportBlocks.ts'

/** Operations, incidents, changes to the system, events and the rollout file. */
export function historyBlocks(report: EvidenceReport): ReportBlock[] {
  const { operations, rollbacks, incidents, changes, events, file } = report
  return [
    heading('Operations'),
    operationTable(operations),
    heading('Rollbacks, including the flag being turned off'),
    operationTable(rollbacks),
    heading('Incidents'),
    incidentTable(incidents ?? []),
    heading('Changes to the system'),
    table(
      ['Kind', 'Object', 'Applied', 'Operation', 'Statement', 'Reverted'],
      changes.map((change) => [
        change.kind,
        change.object,
        formatInstant(change.at),
        String(change.operationId),
        truncateText(change.statement),
        change.left !== null
          ? `kept: ${change.left}`
          : change.revertedAt === null
            ? 'no'
            : formatInstant(change.revertedAt),
      ]),
      'None.',
    ),
    heading('Events'),
    paragraph(
      `${formatCount(events.entries.length)} of ${formatCount(events.total)} events are listed here. Each hash covers the event and the hash of the previous event in the database. The head is ${events.head}.`,
    ),
    table(
      ['Event', 'At', 'Operation', 'By', 'Kind', 'Message', 'Reason', 'Hash'],
      events.entries.map((event) => [
        String(event.id),
        formatInstant(event.at),
        event.operationId === null ? NO_VALUE : String(event.operationId),
        `${event.actor.name} (${event.actor.via})`,
        event.kind,
        event.message,
        event.reason ?? '',
        event.hash.slice(0, 16),
      ]),
      'None.',
    ),
    heading('Rollout file'),
    paragraph(
      `SHA-256: ${file.hash}. It covers the complete file; phone numbers and email addresses are omitted here.`,
    ),
    codeBlock(file.text),
  ]
}

function operationTable(operations: readonly Operation[]): ReportBlock {
  return table(
    ['Operation', 'Kind', 'State', 'By', 'Requested', 'Ended', 'Reason', 'Parameters', 'Result'],
    operations.map((operation) => [
      String(operation.id),
      operation.kind,
      operation.state,
      `${operation.actor.name} (${operation.actor.level})`,
      formatInstant(operation.createdAt),
      formatInstant(operation.endedAt),
      operation.reason ?? '',
      formatParameters(operation),
      operation.error ?? (operation.result === null ? '' : truncateText(JSON.stringify(operation.result))),
    ]),
    'None.',
  )
}

function incidentTable(incidents: readonly Incident[]): ReportBlock {
  return table(
    ['Incident', 'Rule', 'Severity', 'Change', 'Opened', 'Acknowledged', 'Rolled back', 'Closed', 'Summary'],
    incidents.map((incident) => [
      `${incident.id}${incident.drill ? ' (drill)' : ''}`,
      incident.rule,
      incident.severity,
      incident.change ?? NO_VALUE,
      formatInstant(incident.openedAt),
      incident.acknowledgedBy === null
        ? 'no'
        : `by ${incident.acknowledgedBy.name} after ${formatDuration(incident.acknowledgedSeconds ?? 0)}${incident.late ? ' (late)' : ''}`,
      incident.rollback?.scope ?? '',
      incident.closedAt === null ? 'open' : formatInstant(incident.closedAt),
      truncateText(incident.summary),
    ]),
    'None.',
  )
}

/** A forced operation bypassed its gate, which a reader must not miss. */
function formatParameters({ parameters }: Operation): string {
  return `${parameters['force'] === true ? 'FORCED ' : ''}${truncateText(JSON.stringify(parameters))}`
}
