import type { Incident } from '../../contract/index.ts'
import { wholeNumber } from '../arguments.ts'
import { Exit } from '../exit.ts'
import { duration, since } from '../numbers.ts'
import { openTarget, withTarget, type CommonOptions, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { columns } from '../text.ts'

interface AnswerOptions extends CommonOptions {
  readonly note?: string
}

const incidentId = wholeNumber(1, Number.MAX_SAFE_INTEGER)

export const registerIncidents: Register = (program, run) => {
  const incidents = program.command('incidents').description('what fired and what became of it')
  withTarget(incidents.command('list', { isDefault: true }))
    .description('incidents, open ones first')
    .option('--open', 'only those that nobody has closed')
    .action(run(list))
  withTarget(incidents.command('acknowledge'))
    .description('you have seen it: its clock stands, and nobody else is called')
    .argument('<id>', 'of the incident', incidentId)
    .option('--note <text>', 'what you do about it')
    .action(run(answer('acknowledge')))
  withTarget(incidents.command('resolve'))
    .description('it is over; nothing but a person closes an incident')
    .argument('<id>', 'of the incident', incidentId)
    .option('--note <text>', 'what it was')
    .action(run(answer('resolve')))
}

async function list(terminal: Terminal, options: CommonOptions & { open?: boolean }): Promise<Exit> {
  const { target, output } = await openTarget(terminal, options)
  const incidents = await target.agent.incidents(options.rollout, options.open ?? false)
  for (const incident of incidents) output.value(incident)
  if (incidents.length === 0) output.line(options.open ? 'No incident is open.' : 'There is no incident.')
  else for (const line of columns([HEAD, ...incidents.map(row)])) output.line(line)
  return Exit.done
}

const answer =
  (verb: 'acknowledge' | 'resolve') =>
  async (terminal: Terminal, id: number, options: AnswerOptions): Promise<Exit> => {
    const { target, output } = await openTarget(terminal, options)
    const incident = await target.agent.answerIncident(id, verb, options.note)
    output.value(incident)
    output.line(incidentText(incident))
    return Exit.done
  }

const HEAD = ['ID', 'STATE', 'SEVERITY', 'RULE', 'CHANGE', 'OPEN FOR', 'ACKNOWLEDGED', 'ROLLED BACK', 'SUMMARY']

function row(incident: Incident): string[] {
  const { acknowledgedBy, acknowledgedSeconds, rollback } = incident
  return [
    ...[String(incident.id), incident.drill ? `${incident.state} drill` : incident.state, incident.severity],
    ...[incident.rule, incident.change ?? '-', duration(since(incident.openedAt, incident.closedAt))],
    acknowledgedBy === null
      ? incident.late
        ? 'nobody, late'
        : 'nobody'
      : `${acknowledgedBy.name} after ${duration(acknowledgedSeconds ?? 0)}`,
    ...[rollback?.scope ?? '-', incident.summary],
  ]
}

export function incidentText(incident: Incident): string {
  const { id, rule, state, acknowledgedBy, acknowledgedSeconds } = incident
  if (acknowledgedBy === null) return `incident ${id} (${rule}) is ${state}`
  return `incident ${id} (${rule}) is ${state}: acknowledged by ${acknowledgedBy.name} after ${duration(acknowledgedSeconds ?? 0)}${incident.late ? ', late' : ''}`
}
