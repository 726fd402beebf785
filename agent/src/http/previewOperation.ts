import { requestedAction, requiredRights, type OperationPreview, type OperationRequest } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import type { Caller } from '../rights/caller.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { remainingSteps } from '../ramp/rampParameters.ts'
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
  warnings: [],
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
  const forbidden = [
    ...requiredRights(request).flatMap((right) => catchRefusal(() => requireRight(deps, caller, right))),
    ...catchRefusal(() => requireLimitRights(deps, rollout, caller, limits)),
  ]
  const impossible = [
    ...catchRefusal(() => requireOperationPossible(deps.kinds[request.kind], facts, parameters)),
    ...catchRefusal(() => requireApplicationWithinLimits(deps, facts, request)),
  ]
  const [firstRefusal] = [...forbidden, ...impossible]
  const estimates = await estimate(deps, facts, request)
  // What only the rows say, which the run would refuse, and what only a query shows, which the request is refused for.
  const queried =
    impossible.length === 0
      ? [...(estimates.reasons ?? []), ...(await findRequestRefusals(deps, facts, request.kind, parameters))]
      : []
  return {
    ...NO_ESTIMATES,
    kind: request.kind,
    environment: deps.config.environment,
    rollout: rollout.name,
    ...estimates,
    warnings: [
      ...(estimates.warnings ?? []),
      ...(turnsFlagOn(request) ? deps.judgeEnabling(rollout.name, nextPercentage(facts, request)).warnings : []),
    ],
    allowed: firstRefusal === undefined && queried.length === 0,
    reasons: [...forbidden.map(({ message }) => message), ...impossible.flatMap(({ reasons }) => reasons), ...queried],
    code: firstRefusal?.code ?? (queried.length > 0 ? 'refused' : null),
  }
}

/**
 * @throws Refusal with every reason why the operation cannot start now; nothing-to-roll-back if the only one is that all
 * is reverted already
 */
export function requireOperationPossible(
  definition: OperationDefinition,
  facts: RolloutFacts,
  parameters: Record<string, unknown>,
): void {
  const reasons = definition.refusals(facts, parameters)
  if (reasons.length === 0) return
  const isReverted = reasons.length === 1 && definition.nothingToRollBack?.(facts, parameters) === true
  throw new Refusal(isReverted ? 'nothing-to-roll-back' : 'refused', reasons[0]!, reasons)
}

/**
 * @throws Refusal if the flag would be turned off again at once, because latency or errors are above the guard's limits;
 * `force` skips it
 */
export function requireApplicationWithinLimits(
  { judgeEnabling }: Pick<ApiDependencies, 'judgeEnabling'>,
  facts: Pick<RolloutFacts, 'rollout' | 'flag'>,
  request: OperationRequest,
): void {
  if (!turnsFlagOn(request) || request.parameters.force) return
  const { refusals } = judgeEnabling(facts.rollout.name, nextPercentage(facts, request))
  if (refusals.length > 0) throw new Refusal('refused', refusals[0]!, [...refusals])
}

type FlagRequest = OperationRequest & { readonly kind: 'flag' }

const turnsFlagOn = (request: OperationRequest): request is FlagRequest =>
  request.kind === 'flag' && !turnsFlagOff(request)

/** What the flag is set to at once: a ramp begins with its first step. */
function nextPercentage(
  { rollout, flag }: Pick<RolloutFacts, 'rollout' | 'flag'>,
  { parameters }: FlagRequest,
): number {
  return parameters.ramp ? (remainingSteps(rollout, flag, Date.now())[0] ?? 100) : parameters.percentage
}

/** @throws Refusal with what only a query shows: see `requestRefusals` */
export async function requireRequestPossible(
  deps: ApiDependencies,
  facts: RolloutFacts,
  kind: OperationRequest['kind'],
  parameters: Record<string, unknown>,
): Promise<void> {
  const reasons = await findRequestRefusals(deps, facts, kind, parameters)
  if (reasons.length > 0) throw new Refusal('refused', reasons[0]!, reasons)
}

async function findRequestRefusals(
  { kinds, database }: ApiDependencies,
  facts: RolloutFacts,
  kind: OperationRequest['kind'],
  parameters: Record<string, unknown>,
): Promise<string[]> {
  const { rollout, table } = facts
  if (table === null) return []
  return (await kinds[kind].requestRefusals?.({ database, rollout, table, facts }, parameters)) ?? []
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
  const context = { database, rollout, table, facts }
  const preview = await kinds[request.kind].preview(context, parameters)
  if (request.kind !== 'backfill' || !request.parameters.enableMonitoring || facts.monitoring.enhanced) return preview
  // It starts alongside the backfill, so that the person who confirms sees what it would do and may not do.
  const { statements = [], notes = [], warnings = [] } = await kinds.monitoring.preview(context, { enabled: true })
  return {
    ...preview,
    statements: [...(preview.statements ?? []), ...statements],
    notes: [...(preview.notes ?? []), ...notes.map((note) => `Enhanced monitoring: ${note}`)],
    warnings,
  }
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
      ...(turnsOff ? ['The flag turns off immediately; each client receives the change with its next request.'] : []),
    ],
    warnings:
      turnsOff && stage === 'dropped'
        ? [
            'The legacy columns are dropped: code that reads them fails once the flag is off. Run the down migration of the column drop first.',
          ]
        : [],
  }
}

function catchRefusal(check: () => void): Refusal[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof Refusal) return [error]
    throw error
  }
}
