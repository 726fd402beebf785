import { requestedAction, requiredRights, type OperationPreview, type OperationRequest } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { Caller } from '../rights/caller.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ApiDependencies } from './dependencies.ts'
import { requireLimitRights } from './limitRights.ts'
import { Refusal } from './problem.ts'
import { requireEnvironment, turnsFlagOff } from './requestRights.ts'
import { requireRight } from './routeHelpers.ts'

const NO_ESTIMATES = {
  rows: null,
  estimatedSeconds: null,
  estimateBasis: null,
  estimatedWalBytes: null,
  statements: [],
  notes: [],
}

/** What the request would do, and what refuses it now. Changes nothing. */
export async function previewOperation(
  deps: ApiDependencies,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
): Promise<OperationPreview> {
  requireEnvironment(deps, request.environment)
  const facts = await deps.facts(rollout)
  const parameters = request.parameters as Record<string, unknown>
  const limits = request.kind === 'backfill' ? request.parameters.limits : undefined
  const reasons = [
    ...requiredRights(request).flatMap((right) => catchRefusal(() => requireRight(deps, caller, right))),
    ...catchRefusal(() => requireLimitRights(deps, rollout, caller, limits)),
    ...deps.kinds[request.kind].refusals(facts, parameters),
  ]
  return {
    ...NO_ESTIMATES,
    kind: request.kind,
    environment: deps.config.environment,
    rollout: rollout.name,
    ...(await estimate(deps, facts, request)),
    allowed: reasons.length === 0,
    reasons,
  }
}

async function estimate(
  { kinds, database }: ApiDependencies,
  facts: RolloutFacts,
  request: OperationRequest,
): Promise<Partial<OperationPreview>> {
  if (requestedAction(request) === 'enable' || turnsFlagOff(request)) return previewFlagChange(facts, request)
  const { rollout, table } = facts
  if (table === null) return {}
  const parameters = request.parameters as Record<string, unknown>
  return await kinds[request.kind].preview({ database, rollout, table, facts }, parameters)
}

/** A change of the flag in one step, which is not queued. */
function previewFlagChange({ flag, stage }: RolloutFacts, request: OperationRequest): Partial<OperationPreview> {
  const { length: clientCount } = flag.clients
  const { lastPropagationSeconds } = flag
  const turnsOff = turnsFlagOff(request)
  return {
    rows: 0,
    estimatedWalBytes: 0,
    estimatedSeconds: lastPropagationSeconds,
    estimateBasis: lastPropagationSeconds === null ? null : 'propagation time of the last change of the flag',
    notes: [
      `The flag is ${flag.enabled ? `on for ${flag.percentage}%` : 'off'}; ${clientCount} client${clientCount === 1 ? '' : 's'} requested it recently.`,
      ...(turnsOff ? ['The flag goes off immediately; each client sees it with its next request.'] : []),
      ...(turnsOff && stage === 'dropped'
        ? ['The legacy columns are dropped, so code that returns to them fails. Run the migration down first.']
        : []),
    ],
  }
}

function catchRefusal(check: () => void): string[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof Refusal) return [error.message]
    throw error
  }
}
