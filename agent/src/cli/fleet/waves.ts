import type { AgentAddress } from '../cliSettings.ts'

/** A database with its agents. */
export interface Member {
  readonly name: string
  readonly environment: string
  readonly labels: Readonly<Record<string, string>>
  readonly agents: readonly AgentAddress[]
}

/** Members that advance together, before those of the next wave. */
export interface Wave {
  /** Counts from 1. */
  readonly number: number
  readonly members: readonly Member[]
  /** How long its members are watched before the next wave. */
  readonly holdSeconds: number
}

/** A wave of the fleet file: either labels or a percentage; the hold is in seconds. */
export interface WaveEntry {
  readonly labels?: Readonly<Record<string, string>>
  readonly percentage?: number
  readonly hold?: number
}

const REST: WaveEntry = { percentage: 100 }

/**
 * Assigns each member to the first wave that names it. A wave with labels has the members that carry all of them; one
 * with a percentage goes on, in the order of the file, until that share of all members (rounded up) is in this wave or an
 * earlier one. Members that no wave names come last, together. A wave without members is left out.
 */
export function assignWaves(members: readonly Member[], entries: readonly WaveEntry[]): Wave[] {
  let left = members
  const waves = [...entries, REST].map(({ labels, percentage = 0, hold = 0 }) => {
    const wanted = Math.ceil((members.length * percentage) / 100) - (members.length - left.length)
    const chosen = labels ? left.filter((member) => hasLabels(member, labels)) : left.slice(0, Math.max(0, wanted))
    left = left.filter((member) => !chosen.includes(member))
    return { members: chosen, holdSeconds: hold }
  })
  return waves.filter((wave) => wave.members.length > 0).map((wave, index) => ({ number: index + 1, ...wave }))
}

export const hasLabels = ({ labels }: Member, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value)
