import type { RollbackScope } from '../contract/index.ts'
import type { OperationInput } from './agentClient.ts'
import type { EnvironmentTarget } from './environmentTarget.ts'

export interface RollbackOptions {
  readonly fullRollback?: boolean
  readonly force?: boolean
  readonly reason?: string
}

/** The request of a rollback: its confirmation is the name of the rollout, which the caller has asked for. */
export function rollbackRequest(
  { environment }: Pick<EnvironmentTarget, 'environment'>,
  scope: RollbackScope,
  rollout: string,
  { fullRollback, force, reason }: RollbackOptions,
): OperationInput {
  const needsConfirmation = scope === 'data' || scope === 'system'
  return {
    kind: 'rollback',
    environment,
    parameters: {
      scope,
      ...(needsConfirmation ? { confirm: rollout } : {}),
      ...(scope === 'data' ? { full: fullRollback ?? false } : {}),
      ...(force ? { force } : {}),
    },
    reason,
  }
}
