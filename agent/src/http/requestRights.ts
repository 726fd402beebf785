import { requestedAction, type OperationRequest } from '../contract/index.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'

/** Turning the flag off has no prerequisites, is not queued, and works without the database. */
export function turnsFlagOff(request: OperationRequest): boolean {
  return ['disable', 'rollback-flag'].includes(requestedAction(request))
}

/** @throws Refusal wrong-environment */
export function requireEnvironment(deps: ApiDependencies, environment: string): void {
  if (environment === deps.config.environment) return
  throw new Refusal(
    'wrong-environment',
    `This agent serves ${deps.config.environment}; the request is for ${environment}. Nothing was done.`,
  )
}
