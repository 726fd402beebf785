import type { OperationRequest, OperationPreview } from '../contract/index.ts'
import { enableRefusals, unforceableRefusals } from '../operation/enablePrerequisites.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { requireRight } from './routeHelpers.ts'
import { requireEnvironment, requireKind, requiredRights, turnsFlagOff } from './requestRights.ts'
import type { Caller } from '../rights/caller.ts'
import { requireLimitRights } from './limitRights.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'

/** What the request would do, and what refuses it now. Nothing is changed. */
export async function previewOperation(
  deps: ApiDependencies,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
): Promise<OperationPreview> {
  requireEnvironment(deps, request.environment)
  const facts = await deps.facts(rollout)
  const noEstimates = {
    rows: null,
    estimatedSeconds: null,
    estimateBasis: null,
    estimatedWalBytes: null,
    statements: [],
    notes: [],
  }
  const base = { ...noEstimates, kind: request.kind, environment: deps.config.environment, rollout: rollout.name }
  const rightRefusals = requiredRights(request).flatMap((right) =>
    catchRefusal(() => requireRight(deps, caller, right)),
  )
  const isRamp = request.kind === 'flag' && request.parameters.enabled && request.parameters.ramp
  if ((request.kind === 'flag' && !isRamp) || turnsFlagOff(request)) {
    const isEnable = request.kind === 'flag' && request.parameters.enabled
    const prerequisiteRefusals = !isEnable
      ? []
      : request.parameters.force
        ? unforceableRefusals(facts)
        : enableRefusals(facts)
    const reasons = [...rightRefusals, ...prerequisiteRefusals]
    const clientCount = facts.flag.clients.length
    const propagationSeconds = facts.flag.lastPropagationSeconds
    return {
      ...base,
      allowed: reasons.length === 0,
      reasons,
      rows: 0,
      estimatedWalBytes: 0,
      estimatedSeconds: propagationSeconds,
      estimateBasis:
        propagationSeconds === null ? null : 'the last change of the flag, until its last client had seen it',
      notes: [
        `The flag is ${facts.flag.enabled ? `on for ${facts.flag.percentage} %` : 'off'}; ${clientCount} client${clientCount === 1 ? '' : 's'} asked for it lately.`,
        ...(isEnable ? [] : ['Off at once; clients see it when they ask next.']),
        ...(!isEnable && facts.stage === 'dropped'
          ? ['The legacy columns are dropped: code that goes back to them fails. Run the migration down first.']
          : []),
      ],
    }
  }
  const parameters = request.parameters as Record<string, unknown>
  const kind = requireKind(deps, request)
  const limits = request.kind === 'backfill' ? request.parameters.limits : undefined
  const limitRefusals = catchRefusal(() => requireLimitRights(deps, rollout, caller, limits))
  const reasons = [...rightRefusals, ...limitRefusals, ...kind.refusals(facts, parameters)]
  const estimates =
    facts.table === null
      ? {}
      : await kind.preview({ database: deps.database, rollout, table: facts.table, facts }, parameters)
  return { ...base, ...estimates, allowed: reasons.length === 0, reasons }
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
