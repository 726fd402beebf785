import type { Incident } from '../../contract/index.ts'
import { wholeNumberParser } from '../argumentParsers.ts'
import { ExitCode } from '../exitCode.ts'
import { formatDuration, secondsBetween } from '../formatNumbers.ts'
import { openCommandTarget, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'
import { alignColumns } from '../formatResponses.ts'

interface IncidentUpdateOptions extends CommonOptions {
  readonly note?: string
}

const parseIncidentId = wholeNumberParser(1, Number.MAX_SAFE_INTEGER)

export const registerIncidents: RegisterCommand = (program, run) => {
  const incidents = program.command('incidents').description('what fired and what became of it')
  addTargetOptions(incidents.command('list', { isDefault: true }))
    .description('incidents, open ones first')
    .option('--open', 'only those that nobody has closed')
    .action(run(listIncidents))
  addTargetOptions(incidents.command('acknowledge'))
    .description('you have seen it: its clock stands, and nobody else is called')
    .argument('<id>', 'of the incident', parseIncidentId)
    .option('--note <text>', 'what you do about it')
    .action(run(updateIncident('acknowledge')))
  addTargetOptions(incidents.command('resolve'))
    .description('it is over; nothing but a person closes an incident')
    .argument('<id>', 'of the incident', parseIncidentId)
    .option('--note <text>', 'what it was')
    .action(run(updateIncident('resolve')))
}

async function listIncidents(terminal: Terminal, options: CommonOptions & { open?: boolean }): Promise<ExitCode> {
  const { target, output } = await openCommandTarget(terminal, options)
  const incidents = await target.agent.incidents(options.rollout, options.open ?? false)
  for (const incident of incidents) output.value(incident)
  if (incidents.length === 0) output.line(options.open ? 'No incident is open.' : 'There is no incident.')
  else for (const line of alignColumns([INCIDENT_COLUMNS, ...incidents.map(formatIncidentRow)])) output.line(line)
  return ExitCode.done
}

const updateIncident =
  (verb: 'acknowledge' | 'resolve') =>
  async (terminal: Terminal, id: number, options: IncidentUpdateOptions): Promise<ExitCode> => {
    const { target, output } = await openCommandTarget(terminal, options)
    const incident = await target.agent.answerIncident(id, verb, options.note)
    output.value(incident)
    output.line(formatIncident(incident))
    return ExitCode.done
  }

const INCIDENT_COLUMNS = [
  'ID',
  'STATE',
  'SEVERITY',
  'RULE',
  'CHANGE',
  'OPEN FOR',
  'ACKNOWLEDGED',
  'ROLLED BACK',
  'SUMMARY',
]

function formatIncidentRow(incident: Incident): string[] {
  const { acknowledgedBy, acknowledgedSeconds, rollback } = incident
  return [
    ...[String(incident.id), incident.drill ? `${incident.state} drill` : incident.state, incident.severity],
    ...[incident.rule, incident.change ?? '-', formatDuration(secondsBetween(incident.openedAt, incident.closedAt))],
    acknowledgedBy === null
      ? incident.late
        ? 'nobody, late'
        : 'nobody'
      : `${acknowledgedBy.name} after ${formatDuration(acknowledgedSeconds ?? 0)}`,
    ...[rollback?.scope ?? '-', incident.summary],
  ]
}

export function formatIncident(incident: Incident): string {
  const { id, rule, state, acknowledgedBy, acknowledgedSeconds } = incident
  if (acknowledgedBy === null) return `incident ${id} (${rule}) is ${state}`
  return `incident ${id} (${rule}) is ${state}: acknowledged by ${acknowledgedBy.name} after ${formatDuration(acknowledgedSeconds ?? 0)}${incident.late ? ', late' : ''}`
}
