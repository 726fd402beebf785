import {
  type AgentRollouts,
  mergeRollouts,
  onlyDatabaseOf,
  type RolloutRow,
  unansweredAgents,
} from '../rollout/rolloutRows'
import type { FleetMember } from './fleetMember'
import { memberTrouble } from './memberState'

/** One rollout in every database that has it. With one member it is no fleet. */
export interface Fleet {
  readonly rollout: string
  readonly members: readonly [FleetMember, ...FleetMember[]]
}

export const SORT_OPTIONS = ['trouble', 'environment', 'rollout', 'stage'] as const
export type RolloutSort = (typeof SORT_OPTIONS)[number]

export interface RolloutFilter {
  /** Part of a name of a rollout, an environment, an agent, a table, or a stage. */
  readonly text: string
  readonly onlyTrouble: boolean
  readonly sort: RolloutSort
}

/** A fleet with the members that match a filter, in order. */
export interface SelectedFleet extends Fleet {
  readonly selected: readonly [FleetMember, ...FleetMember[]]
}

/**
 * The rollouts of all agents. An agent that has not answered since the page was loaded may have any rollout, so that it is
 * an unknown member of each fleet.
 */
export function toFleets(agents: readonly AgentRollouts[]): Fleet[] {
  const rows = mergeRollouts(agents)
  const unknown = unansweredAgents(agents).filter((other) => onlyDatabaseOf(other, agents) === null)
  return [...new Set(rows.map(({ summary }) => summary.rollout))].map((rollout) => {
    const known = rows.filter(({ summary }) => summary.rollout === rollout).map(knownMember)
    const members = known.length > 1 ? [...known, ...unknown.map(unknownMember)] : known
    return { rollout, members: withLabels(members) as unknown as Fleet['members'] }
  })
}

function knownMember(row: RolloutRow): FleetMember {
  const { environment, production, agents, error, failingSince } = row
  return {
    key: agents
      .map(({ uid }) => uid)
      .sort()
      .join(),
    label: environment,
    environment,
    production,
    agents,
    row,
    error,
    failingSince,
  }
}

function unknownMember({ agent, error, failingSince }: AgentRollouts): FleetMember {
  const { uid, name, expected } = agent
  return {
    key: uid,
    label: expected ?? name,
    environment: expected,
    production: false,
    agents: [agent],
    row: null,
    error,
    failingSince,
  }
}

const withLabels = (members: readonly FleetMember[]): FleetMember[] =>
  members.map((member) =>
    members.filter(({ label }) => label === member.label).length > 1
      ? { ...member, label: `${member.label} (${member.agents.map(({ name }) => name).join(', ')})` }
      : member,
  )

/** The fleets with members that match, in order. */
export function selectFleets(fleets: readonly Fleet[], { text, onlyTrouble, sort }: RolloutFilter): SelectedFleet[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const compare = (a: FleetMember, b: FleetMember) => ORDERS[sort](a, b) || a.label.localeCompare(b.label)
  return fleets
    .map(({ rollout, members }) => {
      const selected = members.filter((member) => {
        const { label, agents, row } = member
        const searched = [rollout, label, ...agents.map(({ name }) => name), row?.summary.table, row?.summary.stage]
        const lower = searched.join(' ').toLowerCase()
        return (!onlyTrouble || memberTrouble(member) > 0) && words.every((word) => lower.includes(word))
      })
      return { rollout, members, selected: selected.sort(compare) }
    })
    .filter((fleet): fleet is typeof fleet & SelectedFleet => fleet.selected.length > 0)
    .sort(
      (a, b) =>
        (sort === 'rollout' ? 0 : ORDERS[sort](a.selected[0], b.selected[0])) || a.rollout.localeCompare(b.rollout),
    )
}

const doneSteps = ({ row }: FleetMember): number =>
  row === null ? -1 : row.summary.steps.filter(({ state }) => state === 'done').length

const ORDERS: Readonly<Record<RolloutSort, (a: FleetMember, b: FleetMember) => number>> = {
  trouble: (a, b) => memberTrouble(b) - memberTrouble(a),
  environment: (a, b) => (a.environment ?? '').localeCompare(b.environment ?? ''),
  rollout: () => 0,
  stage: (a, b) => doneSteps(b) - doneSteps(a),
}
