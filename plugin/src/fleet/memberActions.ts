import type { OperationAction, OperationRequest, OperationPreview } from '@sti-rollout/agent/contract'
import { formatDuration, formatQuantity } from '@sti-rollout/agent/format'
import { AgentError, OPERATION_NOT_SUCCEEDED, toAgentError } from '../agent/AgentError'
import type { AgentDataSource } from '../agent/agentDataSources'
import { READ_TIMEOUT_MS } from '../agent/agentRequest'
import { controlOperation, getRollout, listRollouts, previewOperation, startOperation } from '../agent/rolloutCalls'
import { identifyAgent } from '../agent/useEnvironment'
import { refusalReasons } from '../action/refusalReasons'
import { turnFlagOff } from '../action/turnFlagOff'
import type { FleetMember } from './fleetMember'

/** The actions that make sense at many members, in the order of a rollout; the last one goes back. */
export const FLEET_ACTIONS = [
  'expand',
  'backfill',
  'validation',
  'finalize',
  'enable',
  'pause',
  'resume',
  'rollback-flag',
] as const satisfies ReadonlyArray<OperationAction | 'pause' | 'resume'>
export type FleetAction = (typeof FLEET_ACTIONS)[number]

/** What would happen at one member, or why it is left out. */
export interface MemberPreview {
  readonly allowed: boolean
  readonly texts: readonly string[]
}

/** What happened at one member. */
export interface MemberResult {
  readonly text: string
  /** What is not as it should be although it happened. */
  readonly warnings: readonly string[]
  /** The operation that started; null: none did. */
  readonly operationId: number | null
}

/** One action at the members of a fleet. */
export interface FleetRequest {
  readonly rollout: string
  readonly action: FleetAction
  /** The request to a member in this environment. */
  toRequest(environment: string): OperationRequest
  readonly reason: string
}

/** Asks the agent of a member what the action would do there. It changes nothing. */
export async function previewMember(
  member: FleetMember,
  { rollout, action, toRequest }: FleetRequest,
  signal: AbortSignal,
): Promise<MemberPreview> {
  const [agent] = member.agents
  try {
    if (action === 'pause' || action === 'resume') {
      const reasons = refusalReasons(await getRollout(agent, rollout, signal), action)
      return { allowed: reasons.length === 0, texts: reasons }
    }
    const environment = await environmentOf(member, signal)
    return describePreview(await previewOperation(agent, rollout, toRequest(environment), signal))
  } catch (thrown) {
    const { message, reasons } = toAgentError(thrown, agent.name, 0)
    return { allowed: false, texts: [message, ...reasons.filter((reason) => reason !== message)] }
  }
}

function describePreview({ allowed, reasons, rows, estimatedSeconds, warnings }: OperationPreview): MemberPreview {
  if (!allowed) return { allowed, texts: reasons.length > 0 ? reasons : ['The agent does not allow this action now.'] }
  const numbers = [
    rows !== null && formatQuantity(rows, 'row'),
    estimatedSeconds !== null && `about ${formatDuration(estimatedSeconds)}`,
  ].filter(Boolean)
  return { allowed, texts: [...(numbers.length > 0 ? [numbers.join(', ')] : []), ...warnings] }
}

/**
 * Acts at one member. The same key sent twice is one operation, so that a retry after a timeout starts nothing twice.
 * @throws AgentError if it did not happen, or if that is not known
 */
export async function actAtMember(
  member: FleetMember,
  { rollout, action, toRequest, reason }: FleetRequest,
  key: string,
): Promise<MemberResult> {
  const [agent] = member.agents
  if (action === 'pause' || action === 'resume') {
    const { actions } = await getRollout(agent, rollout)
    const id = actions.find((candidate) => candidate.action === action)?.operationId ?? null
    const [refusal] = refusalReasons({ actions }, action)
    if (id === null || refusal !== undefined) throw failure(refusal ?? 'No operation is running.')
    const { state } = await controlOperation(agent, id, action, reason || undefined)
    return { text: `The operation is ${state}`, warnings: [], operationId: id }
  }
  const request = toRequest(await environmentOf(member))
  if (action === 'rollback-flag') return await rollBackFlag(member, rollout, request, key)
  const { id } = await startOperation(agent, rollout, request, key)
  return { text: 'Started', warnings: [], operationId: id }
}

/** A member whose agents have not answered yet is asked for its environment, which each request names. */
async function environmentOf({ row, agents }: FleetMember, signal?: AbortSignal): Promise<string> {
  return row?.environment ?? (await identifyAgent(agents[0], signal)).environment
}

const CONFIRM_ATTEMPTS = 6
const CONFIRM_INTERVAL_MS = 500

/** Turns the flag off, and then reads from each agent of the member that it is off. */
async function rollBackFlag(
  { agents, row }: FleetMember,
  rollout: string,
  request: OperationRequest,
  key: string,
): Promise<MemberResult> {
  const operation = await turnFlagOff(agents, (agent) =>
    startOperation(agent, rollout, request, key, READ_TIMEOUT_MS),
  ).catch((error: unknown) => {
    // An agent that had not answered before was taken for a member, in case it is one.
    if (row === null && error instanceof AgentError && error.code === 'unknown-rollout') return null
    throw error
  })
  if (operation === null) return { text: `It has no rollout ${rollout}`, warnings: [], operationId: null }
  const answers = await Promise.all(agents.map((agent) => waitUntilOff(agent, rollout)))
  const on = answers.filter(({ enabled }) => enabled).map(({ agent }) => agent.name)
  if (on.length > 0) throw failure(`${on.join(', ')} still answers that the flag is on.`)
  return {
    text: 'The flag is off',
    warnings: [
      ...(operation.persisted
        ? []
        : ['It is off in memory only: the database has not stored it yet. The agent stores it as soon as it can.']),
      ...answers.flatMap(({ warning }) => warning ?? []),
    ],
    // An operation that is not stored yet has no number.
    operationId: operation.id || null,
  }
}

/** What an agent says about the flag; if it says nothing, why, and what that means. */
interface FlagAnswer {
  readonly agent: AgentDataSource
  readonly enabled: boolean
  readonly warning: string | null
}

async function waitUntilOff(agent: AgentDataSource, rollout: string): Promise<FlagAnswer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await readFlag(agent, rollout)
    if (!answer.enabled || attempt === CONFIRM_ATTEMPTS) return answer
    await new Promise((done) => setTimeout(done, CONFIRM_INTERVAL_MS))
  }
}

async function readFlag(agent: AgentDataSource, rollout: string): Promise<FlagAnswer> {
  try {
    const list = await listRollouts(agent)
    const enabled = list.some((summary) => summary.rollout === rollout && summary.flag.enabled)
    return { agent, enabled, warning: null }
  } catch (thrown) {
    const { message, unreachable } = toAgentError(thrown, agent.name, READ_TIMEOUT_MS)
    const warning = unreachable
      ? `${message} ${DEFAULT_OFF}`
      : `${agent.name} accepted the rollback, and could not confirm it: ${message}`
    return { agent, enabled: false, warning }
  }
}

const DEFAULT_OFF =
  'An application that does not reach this agent either uses the default of its code, which is off; one that reaches it may still read by type.'

const failure = (message: string): AgentError => new AgentError(message, 'agent', 0, OPERATION_NOT_SUCCEEDED)

/** What a person can do about a member where the action failed. */
export function adviceFor(
  error: AgentError,
  { action, rollout }: FleetRequest,
  environment: string | null,
): string | null {
  if (action !== 'rollback-flag' || !error.unreachable) return null
  const target = `${environment === null ? '' : ` --environment ${environment}`} --rollout ${rollout}`
  return `${DEFAULT_OFF} Retry once the agent runs, or run “sti rollback flag${target}” on a host that reaches it.`
}
