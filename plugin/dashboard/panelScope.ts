import { extraLabels } from './promql.ts'

/** The members that a panel of a fleet shows by name. */
export const WORST_MEMBERS = 3
/** A member that has had the rollout within this time belongs to the fleet, also while it does not report. */
const MEMBERSHIP_RANGE = '1d'

/** Which value of a series is worse. */
export type Worse = 'highest' | 'lowest'

/** Which series the panels of a dashboard query, and how the series of several agents and members become one value. */
export interface PanelScope {
  /** Null: the dashboard shows one rollout in one environment. */
  readonly fleet: FleetScope | null
  /** The series of the rollout. */
  rollout(name: string, labels?: string): string
  /** The series of the agents, whatever the rollout. */
  environment(name: string, labels?: string): string
  /** One value for each member, and for each value of the labels `by`. The agents of one member count once. */
  each(series: string, by?: string, agents?: 'max' | 'min'): string
  /** The sum over the members. */
  sum(series: string): string
  /** The lowest value of a member. */
  lowest(series: string, agents?: 'max' | 'min'): string
  /** 0 while no agent can be scraped, otherwise no value. */
  readonly noAgentScraped: string
}

/** What only the panels of a fleet query. The label `name` names a member. */
export interface FleetScope {
  /** Adds the label `name`: the label `member` of the target of the agent, or else its `instance`. */
  named(series: string): string
  /** Every member, also one that does not report. */
  readonly members: string
  /** The members that report. */
  readonly reporting: string
  /** The members that do not report: what they would report is unknown. */
  readonly silent: string
  /** How many members there are, as a scalar. */
  readonly memberCount: string
  /** A count of members that is 0 if there are none of them, and absent if there is no member at all. */
  countOrZero(vector: string): string
  /**
   * The line of the member whose value was the highest (or lowest) within the time range, or the second or third of them. The
   * member is selected once, at the end of the range, because `topk` at each point in time would show many.
   */
  worstLine(series: string, rank: number, worse: Worse): string
  /** The members with the highest (or lowest) current value. */
  worstValues(vector: string, worse?: Worse): string
}

const selector = (name: string, ...matchers: string[]): string => `${name}{${matchers.join(',')}}`

const aggregate = (operator: string, labels: readonly string[], series: string): string =>
  labels.length === 0 ? `${operator}(${series})` : `${operator} by (${labels.join(', ')}) (${series})`

/** One rollout in one environment. */
export const rolloutScope: PanelScope = {
  fleet: null,
  rollout: (name, labels = '') =>
    selector(name, 'environment="$environment"', `rollout="$rollout"${extraLabels(labels)}`),
  environment: (name, labels = '') => selector(name, `environment="$environment"${extraLabels(labels)}`),
  each: (series, by, agents = 'max') => aggregate(agents, by === undefined ? [] : [by], series),
  sum: (series) => `max(${series})`,
  lowest: (series, agents = 'max') => `${agents}(${series})`,
  noAgentScraped: 'max(up{job="sti-agent",environment="$environment"}) == 0',
}

const rollout: PanelScope['rollout'] = (name, labels = '') =>
  selector(name, 'environment=~"$environment"', `rollout="$rollout"${extraLabels(labels)}`)
const environment: PanelScope['environment'] = (name, labels = '') =>
  selector(name, `environment=~"$environment"${extraLabels(labels)}`)
const named = (series: string): string =>
  `label_replace(label_replace(${series}, "name", "$1", "instance", "(.*)"), "name", "$1", "member", "(.+)")`
/** Of every agent in the selected environments. */
const eachAgent: PanelScope['each'] = (series, by, agents = 'max') =>
  aggregate(agents, by === undefined ? ['name'] : ['name', by], named(series))

const withinMembershipRange = (series: string, at = ''): string =>
  eachAgent(`last_over_time(${series}[${MEMBERSHIP_RANGE}]${at})`)
const agentUp = environment('up', 'job="sti-agent"')
// The state of the flag comes from memory: an agent whose database is unavailable still reports it.
const reporting = eachAgent(rollout('sti_flag_enabled'))
const known = withinMembershipRange(rollout('sti_flag_enabled'))
const knownAtEnd = withinMembershipRange(rollout('sti_flag_enabled'), ' @ end()')
// An environment may have agents of other rollouts, and the series of a database or a host do not name theirs.
const each: PanelScope['each'] = (series, by, agents) => `(${eachAgent(series, by, agents)} and on (name) ${known})`
/** An agent that has not answered since Prometheus knows it may have any rollout. */
const neverAnswered = `((${eachAgent(agentUp)} == 0) unless ${withinMembershipRange(environment('sti_flag_enabled'))})`
const members = `(${known} or ${neverAnswered})`
const WORST_OPERATORS = { highest: ['topk', 'max_over_time'], lowest: ['bottomk', 'min_over_time'] } as const

/** One rollout in every member of a fleet: the databases that have it, in the selected environments. */
export const fleetScope: PanelScope & { readonly fleet: FleetScope } = {
  rollout,
  environment,
  each,
  sum: (series) => `sum(${each(series)})`,
  lowest: (series, agents) => `min(${each(series, undefined, agents)})`,
  noAgentScraped: `max(${agentUp}) == 0`,
  fleet: {
    named,
    members,
    reporting,
    silent: `((${known} unless ${reporting}) or ${neverAnswered})`,
    memberCount: `scalar(count(${members}))`,
    countOrZero: (vector) => `count(${vector}) or on() (0 * count(${members}))`,
    worstLine(series, rank, worse) {
      const [operator, overTime] = WORST_OPERATORS[worse]
      const worst = (count: number) =>
        `${operator}(${count}, ${eachAgent(`${overTime}(${series}[$__range] @ end())`)} and on (name) ${knownAtEnd})`
      return `${eachAgent(series)} and on (name) ${rank === 1 ? worst(1) : `(${worst(rank)} unless ${worst(rank - 1)})`}`
    },
    worstValues: (vector, worse = 'highest') => `${WORST_OPERATORS[worse][0]}(${WORST_MEMBERS}, ${vector})`,
  },
}
