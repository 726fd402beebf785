import { Option } from 'commander'
import { Severity, type Incident } from '../../contract/index.ts'
import { parseId } from '../argumentParsers.ts'
import { ExitCode } from '../exitCode.ts'
import { formatDuration } from '../../format/format.ts'
import { openCommandTarget, addTargetOptions, type CommonOptions, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'
import { secondsBetween } from '../formatResponses.ts'

interface IncidentUpdateOptions extends CommonOptions {
  readonly note?: string
}

export const registerIncidents: RegisterCommand = (program, run) => {
  const incidents = program.command('incidents').description('List, acknowledge and resolve incidents')
  addTargetOptions(incidents.command('list', { isDefault: true }))
    .description('List incidents, open ones first')
    .option('--open', 'List open incidents only')
    .addOption(new Option('--severity <severity>', 'List incidents of this severity only').choices(Severity.options))
    .action(run(listIncidents))
  addTargetOptions(incidents.command('acknowledge'))
    .description('Acknowledge an incident: the timer stops and nobody else is paged; information is closed')
    .argument('<id>', 'Incident ID', parseId)
    .option('--note <text>', 'What you are doing about it')
    .action(run(updateIncident('acknowledge')))
  addTargetOptions(incidents.command('resolve'))
    .description('Resolve an incident; only a person can close one')
    .argument('<id>', 'Incident ID', parseId)
    .option('--note <text>', 'The cause')
    .action(run(updateIncident('resolve')))
}

interface ListIncidentsOptions extends CommonOptions {
  readonly open?: boolean
  readonly severity?: Severity
}

async function listIncidents(terminal: Terminal, options: ListIncidentsOptions): Promise<ExitCode> {
  const { target, output } = await openCommandTarget(terminal, options)
  const incidents = await target.agent.incidents(options.rollout, options.open ?? false, options.severity)
  for (const incident of incidents) output.value(incident)
  if (incidents.length === 0) output.line(options.open ? 'No incident is open.' : 'No incident exists.')
  else output.table([INCIDENT_COLUMNS, ...incidents.flatMap(formatIncidentRows)])
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

/** One row for the incident, and one for each other change that joined it. */
const formatIncidentRows = (incident: Incident): string[][] => [
  formatIncidentRow(incident),
  ...incident.joined.map(({ change, summary }) => ['', '', '', '', change, '', '', '', summary]),
]

function formatIncidentRow(incident: Incident): string[] {
  const { acknowledgedBy, acknowledgedSeconds, rollback } = incident
  return [
    ...[String(incident.id), incident.drill ? `${incident.state} drill` : incident.state, incident.severity],
    ...[incident.rule, incident.change ?? '-', formatDuration(secondsBetween(incident.openedAt, incident.closedAt))],
    acknowledgedBy === null
      ? incident.late
        ? 'no, overdue'
        : 'no'
      : `${acknowledgedBy.name} after ${formatDuration(acknowledgedSeconds ?? 0)}`,
    ...[rollback?.scope ?? '-', incident.summary],
  ]
}

export function formatIncident(incident: Incident): string {
  const { id, rule, state, acknowledgedBy, acknowledgedSeconds } = incident
  if (acknowledgedBy === null) return `Incident ${id} (${rule}) is ${state}.`
  return `Incident ${id} (${rule}) is ${state}. Acknowledged by ${acknowledgedBy.name} after ${formatDuration(acknowledgedSeconds ?? 0)}${incident.late ? ' (late)' : ''}.`
}
