import type { OperationRequest, Preview } from '../contract/index.ts'
import { enablingRefusals, unforceable } from '../operation/gate.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { demand } from './answers.ts'
import { demandEnvironment, kindOf, rightsOf, turnsOff } from './asked.ts'
import type { Caller } from './caller.ts'
import { demandLimits } from './limits.ts'
import type { Parts } from './parts.ts'
import { Refusal } from './problem.ts'

/** What the request would do, and what refuses it now. Nothing is changed. */
export async function preview(
  parts: Parts,
  rollout: Rollout,
  request: OperationRequest,
  caller: Caller,
): Promise<Preview> {
  demandEnvironment(parts, request.environment)
  const facts = await parts.facts(rollout)
  const empty = {
    rows: null,
    estimatedSeconds: null,
    estimateBasis: null,
    estimatedWalBytes: null,
    statements: [],
    notes: [],
  }
  const base = { ...empty, kind: request.kind, environment: parts.config.environment, rollout: rollout.name }
  const rights = rightsOf(request).flatMap((right) => refusalOf(() => demand(parts, caller, right)))
  const ramps = request.kind === 'flag' && request.parameters.enabled && request.parameters.ramp
  if ((request.kind === 'flag' && !ramps) || turnsOff(request)) {
    const enabling = request.kind === 'flag' && request.parameters.enabled
    const gate = !enabling ? [] : request.parameters.force ? unforceable(facts) : enablingRefusals(facts)
    const reasons = [...rights, ...gate]
    const clients = facts.flag.clients.length
    const seen = facts.flag.lastPropagationSeconds
    return {
      ...base,
      allowed: reasons.length === 0,
      reasons,
      rows: 0,
      estimatedWalBytes: 0,
      estimatedSeconds: seen,
      estimateBasis: seen === null ? null : 'the last change of the flag, until its last client had seen it',
      notes: [
        `The flag is ${facts.flag.enabled ? `on for ${facts.flag.percentage} %` : 'off'}; ${clients} client${clients === 1 ? '' : 's'} asked for it lately.`,
        ...(enabling ? [] : ['Off at once; clients see it when they ask next.']),
        ...(!enabling && facts.stage === 'dropped'
          ? ['The legacy columns are dropped: code that goes back to them fails. Run the migration down first.']
          : []),
      ],
    }
  }
  const parameters = request.parameters as Record<string, unknown>
  const kind = kindOf(parts, request)
  const limits = request.kind === 'backfill' ? request.parameters.limits : undefined
  const loose = refusalOf(() => demandLimits(parts, rollout, caller, limits))
  const reasons = [...rights, ...loose, ...kind.refusals(facts, parameters)]
  const numbers =
    facts.table === null
      ? {}
      : await kind.preview({ database: parts.database, rollout, table: facts.table, facts }, parameters)
  return { ...base, ...numbers, allowed: reasons.length === 0, reasons }
}

function refusalOf(ask: () => void): string[] {
  try {
    ask()
    return []
  } catch (error) {
    if (error instanceof Refusal) return [error.message]
    throw error
  }
}
