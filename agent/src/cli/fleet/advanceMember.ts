import { createHash } from 'node:crypto'
import type { Action, Operation, RolloutDetail } from '../../contract/index.ts'
import { AgentRefusedError, type OperationInput } from '../agentClient.ts'
import type { EnvironmentTarget } from '../environmentTarget.ts'
import { sendIdempotent } from '../runOperation.ts'
import { followToSuccess, memberError, type FleetProgress } from './followMember.ts'
import { activeOperation, memberTroubles, readMember } from './memberState.ts'
import { nextStep, type Goal, type Step } from './nextStep.ts'
import type { Member } from './waves.ts'

export interface AdvanceContext extends Pick<FleetProgress, 'report'> {
  readonly rollout: string
  readonly goal: Goal
  readonly reason: string | undefined
  /** Members that were rolled back go the whole way again. */
  readonly again: boolean
  /** Why no further operation starts; null while the fleet goes on. */
  stopReason(): string | null
}

/**
 * Takes one member to the goal, one operation after the other. Each step follows from what the member's agents answer, and
 * an operation that runs already is followed, so that the command can be ended and started again, also twice at once.
 *
 * @returns false: it stopped before the goal because of another member
 * @throws CliError: the member cannot go on; the message says why
 */
export async function advanceMember(member: Member, context: AdvanceContext): Promise<boolean> {
  let previous: Operation | null = null
  for (;;) {
    const state = await readMember(context.rollout, member)
    const troubles = memberTroubles(state)
    if (state.detail === null) throw state.fault
    const step = nextStep(state.detail, context.goal)
    if (step === null && troubles.length === 0) return true
    if (troubles.length > 0) throw memberError(troubles.join('; '))
    if (state.detail.stage === 'rolled-back' && previous === null && !context.again)
      throw memberError('It was rolled back. Pass --again to take it the whole way again.')
    const active = activeOperation(state.detail)
    if (active === null && context.stopReason() !== null) return false
    if (active === null && previous !== null && previous.kind === step!.kind)
      throw memberError(
        `${previous.kind} ${previous.id} succeeded, but the stage is still ${state.detail.stage}.`,
        reasonsFor(state.detail, step!),
      )
    const operation = active ?? (await startStep(state.target, state.detail, step!, context))
    if (operation === null) continue
    context.report(member, `${operation.kind} ${operation.id} ${active === null ? 'started' : 'is running'}`, operation)
    previous = await followToSuccess(state.target, member, operation, context.report)
  }
}

/** The action that each step should make possible. */
const FOLLOWING_ACTION = {
  expand: 'backfill',
  backfill: 'validation',
  validation: 'finalize',
  finalize: 'enable',
  flag: 'enable',
} as const satisfies Record<Step['kind'], Action>

const reasonsFor = ({ actions }: RolloutDetail, { kind }: Step): readonly string[] =>
  actions.find(({ action }) => action === FOLLOWING_ACTION[kind])?.reasons ?? []

/**
 * Two commands that see the same state of a member send the same key, so that the operation starts once. Null: somebody
 * else has started another operation in the meantime.
 */
async function startStep(
  target: EnvironmentTarget,
  { rollout, operations }: RolloutDetail,
  { kind, parameters }: Step,
  { reason }: AdvanceContext,
): Promise<Operation | null> {
  const request = { kind, environment: target.environment, parameters, reason } as OperationInput
  const newest = operations[0]?.id ?? 0
  const seen = JSON.stringify([rollout, newest, request])
  const key = `fleet-${createHash('sha256').update(seen).digest('hex').slice(0, 32)}`
  try {
    return await sendIdempotent(target.agents, (agent) => agent.start(rollout, request, key))
  } catch (error) {
    if (!(error instanceof AgentRefusedError)) throw error
    const now = await target.agent.rollout(rollout)
    if ((now.operations[0]?.id ?? 0) > newest) return null
    throw error
  }
}
