import type { OperationRequest } from '../contract/index.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import type { Right } from '../rights/rights.ts'

/** The rights that a request needs, all of them. */
export function requiredRights(request: OperationRequest): Right[] {
  switch (request.kind) {
    case 'flag':
      if (!request.parameters.enabled) return ['disable']
      return [
        'enable',
        ...(request.parameters.ramp ? (['ramp'] as const) : []),
        ...(request.parameters.force ? (['force'] as const) : []),
      ]
    case 'rollback':
      return [`rollback-${request.parameters.scope}`, ...(request.parameters.force ? (['force'] as const) : [])]
    case 'backfill':
      return [
        'backfill',
        ...(request.parameters.enableMonitoring ? (['monitoring'] as const) : []),
        ...(request.parameters.rollbackOnError === 'data' ? (['rollback-data'] as const) : []),
      ]
    case 'monitoring':
      return [request.parameters.enabled ? 'monitoring' : 'rollback-monitoring']
    case 'rehearsal':
      return ['rehearse']
    case 'column-drop':
      return ['prepare-column-drop']
    case 'archive-removal':
      return ['remove-archive', ...(request.parameters.force ? (['force'] as const) : [])]
    default:
      return [request.kind]
  }
}

/** Turning off has no gate, no queue, and needs no database. */
export function turnsFlagOff(request: OperationRequest): boolean {
  if (request.kind === 'flag') return !request.parameters.enabled
  return request.kind === 'rollback' && request.parameters.scope === 'flag'
}

/** @throws Refusal wrong-environment */
export function requireEnvironment(deps: ApiDependencies, environment: string): void {
  if (environment === deps.config.environment) return
  throw new Refusal(
    'wrong-environment',
    `This agent serves ${deps.config.environment}; the request is for ${environment}. Nothing was done.`,
  )
}

/** @throws Refusal not-found */
export function requireKind(deps: ApiDependencies, request: OperationRequest): OperationDefinition {
  const kind = deps.kinds.find((one) => one.kind === request.kind)
  if (kind === undefined) throw new Refusal('not-found', `This agent knows no operation ${request.kind}.`)
  return kind
}
