import type { Operation, OperationPreview, OperationRequest, RollbackScope } from '@sti-rollout/agent/contract'

/** The order of `sti rollback all`. */
export const ROLLBACK_ORDER = ['flag', 'data', 'system', 'monitoring'] as const satisfies readonly RollbackScope[]

export interface RollbackCalls {
  turnFlagOff(request: OperationRequest): Promise<unknown>
  preview(request: OperationRequest): Promise<Pick<OperationPreview, 'code' | 'allowed' | 'reasons'>>
  start(request: OperationRequest): Promise<Pick<Operation, 'id'>>
  /** Resolves once the operation has ended. */
  waitForEnd(id: number): Promise<Pick<Operation, 'state' | 'error'>>
  /** The names of clients that may still read by type. */
  staleClients(): Promise<readonly string[]>
  report(line: string): void
}

const MAX_CLIENT_WAITS = 60

/**
 * Rolls back each scope in order and stops at the first failure. Completed scopes have nothing left to roll back, so that
 * starting again continues.
 * @throws Error that names the scope and why
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
  for (const scope of ROLLBACK_ORDER.slice(1)) {
    const preview = await calls.preview(request(scope))
    if (preview.code === 'nothing-to-roll-back') {
      calls.report(`${scope}: nothing to roll back`)
      continue
    }
    if (scope === 'data') await waitForClients(calls)
    const { id } = await calls.start(request(scope))
    calls.report(`${scope}: operation ${id} is running`)
    const { state, error } = await calls.waitForEnd(id)
    if (state !== 'succeeded') throw new Error(`The rollback of the ${scope} is ${state}: ${error ?? 'no message'}`)
    calls.report(`${scope}: rolled back`)
  }
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
