import {
  type Operation,
  type OperationPreview,
  type OperationRequest,
  RollbackScope,
} from '@sti-rollout/agent/contract'
import { AgentError, OPERATION_NOT_SUCCEEDED } from '../agent/AgentError'

export interface RollbackCalls {
  turnFlagOff(request: OperationRequest): Promise<unknown>
  /** The rollback of this scope that has not ended, such as of an earlier attempt; null if there is none. */
  findActive(scope: RollbackScope): Promise<Pick<Operation, 'id'> | null>
  preview(request: OperationRequest): Promise<Pick<OperationPreview, 'code' | 'allowed' | 'reasons'>>
  start(request: OperationRequest): Promise<Pick<Operation, 'id'>>
  /** Resolves once the operation has ended or is paused. */
  waitForEnd(id: number): Promise<Pick<Operation, 'state' | 'error'>>
  /** The names of clients that may still read by type. */
  staleClients(): Promise<readonly string[]>
  report(line: string): void
}

const MAX_CLIENT_WAITS = 60
const OUTCOMES: Partial<Record<Operation['state'], string>> = { cancelled: 'was cancelled', paused: 'is paused' }

/**
 * Rolls back each scope in the order of `sti rollback all` and stops at the first failure. Completed scopes have nothing
 * left to roll back, and a rollback that is still running is followed, so that starting again continues.
 * @throws AgentError that names the scope and why
 */
export async function rollBackEverything(
  calls: RollbackCalls,
  { environment, rollout, reason }: { environment: string; rollout: string; reason: string },
): Promise<void> {
  const request = (scope: RollbackScope) =>
    ({
      kind: 'rollback',
      environment,
      reason,
      parameters: scope === 'data' || scope === 'system' ? { scope, confirm: rollout } : { scope },
    }) as OperationRequest
  await calls.turnFlagOff(request('flag'))
  calls.report('flag: off')
  for (const scope of RollbackScope.options.filter((other) => other !== 'flag')) {
    const id = await findOrStart(calls, scope, request(scope))
    if (id === null) {
      calls.report(`${scope}: nothing to roll back`)
      continue
    }
    calls.report(`${scope}: operation ${id} is running`)
    const { state, error } = await calls.waitForEnd(id)
    if (state !== 'succeeded') {
      const outcome = `The rollback of the ${scope} ${OUTCOMES[state] ?? state}`
      throw new AgentError(error === null ? `${outcome}.` : `${outcome}: ${error}`, 'agent', 0, OPERATION_NOT_SUCCEEDED)
    }
    calls.report(`${scope}: rolled back`)
  }
}

/** The operation that rolls this scope back; null if there is nothing to roll back. */
async function findOrStart(
  calls: RollbackCalls,
  scope: RollbackScope,
  request: OperationRequest,
): Promise<number | null> {
  const active = await calls.findActive(scope)
  if (active !== null) return active.id
  const { code } = await calls.preview(request)
  if (code === 'nothing-to-roll-back') return null
  if (scope === 'data') await waitForClients(calls)
  return (await calls.start(request)).id
}

/** After a minute, the agent refuses and names the clients that may still read by type. */
async function waitForClients({ staleClients, report }: RollbackCalls): Promise<void> {
  let last = ''
  for (let attempt = 0; attempt < MAX_CLIENT_WAITS; attempt++) {
    const names = (await staleClients()).join(', ')
    if (names === '') return
    if (names !== last) report(`waiting for these clients to receive the flag as off: ${names}`)
    last = names
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}
