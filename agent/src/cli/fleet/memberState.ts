import { isEnded, isOpenIncident, type Operation, type RolloutDetail } from '../../contract/index.ts'
import { formatQuantity } from '../../format/format.ts'
import { createAgentClient } from '../agentClient.ts'
import { connectTarget, type EnvironmentTarget } from '../environmentTarget.ts'
import { CliError } from '../exitCode.ts'
import type { Member } from './waves.ts'

/** What a member's agents answer now: its rollout, or why it cannot be read. */
export type MemberState =
  | {
      readonly member: Member
      readonly target: EnvironmentTarget
      readonly detail: RolloutDetail
      readonly fault: null
    }
  | { readonly member: Member; readonly target: null; readonly detail: null; readonly fault: CliError }

/** Reads the rollout of one member; an error becomes a part of the answer. */
export async function readMember(rollout: string, member: Member): Promise<MemberState> {
  try {
    const target = await connectTarget(member.agents.map(createAgentClient), member.environment)
    return { member, target, detail: await target.agent.rollout(rollout), fault: null }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { member, target: null, detail: null, fault: error }
  }
}

/** Why a member needs a person before it goes on, one sentence each; empty if it does not. */
export function memberTroubles(state: MemberState): string[] {
  if (state.detail === null) return [[state.fault.message, ...state.fault.reasons].join(' ')]
  const { faults, openIncidents, operations, incidents } = state.detail
  const open = incidents.find(isOpenIncident)
  const paused = operations.find((operation) => operation.state === 'paused')
  return [
    ...faults,
    ...(openIncidents > 0
      ? [`${formatQuantity(openIncidents, 'open incident')}${open ? `: ${open.summary}` : ''}`]
      : []),
    ...(paused ? [`${paused.kind} ${paused.id} is paused`] : []),
  ]
}

export const activeOperation = ({ operations }: RolloutDetail): Operation | null =>
  operations.find(({ state }) => !isEnded(state) && state !== 'paused') ?? null
