import type { CheckResult, ValidationLayer, Validation } from '../../agent/src/contract/index.ts'
import type { TestAgentClient } from '../support/agent.ts'
import { UnsupportedMachineError, type SeededFault, type FaultPlace } from './fault.ts'

export interface SeedOutcome {
  /** Null: a control run without a fault. */
  readonly fault: SeededFault | null
  readonly verdict: 'found' | 'not found' | 'left out' | 'healthy'
  /** The check that found the fault, or why none did. */
  readonly because: string
  /** Checks that failed although they were unaffected. */
  readonly alarms: readonly string[]
  readonly seconds: number
}

/** Validates all layers, or the given ones. */
async function validate(agent: TestAgentClient, layers?: readonly ValidationLayer[]): Promise<Validation> {
  const { result } = await agent.run('validation', layers ? { layers } : {})
  return await agent.get<Validation>(`/v1/rollouts/vehicles/validations/${Number(result!['validation'])}`)
}

/** Validates a healthy place, seeds the fault, and validates again. */
export async function seedFault(fault: SeededFault, place: FaultPlace): Promise<SeedOutcome> {
  const healthy = falseAlarms(await validate(place.agent), null).map((alarm) => `before it was seeded, ${alarm}`)
  return await seedAndValidate(fault, place, healthy)
}

/** Seeds the fault and validates once. */
export async function seedAndValidate(
  fault: SeededFault,
  place: FaultPlace,
  before: readonly string[] = [],
): Promise<SeedOutcome> {
  const started = Date.now()
  const after = (): number => (Date.now() - started) / 1000
  let undo
  try {
    undo = await fault.seed(place)
    const validation = await validate(place.agent, fault.layers)
    const detections = detectingChecks(validation, fault)
    return {
      fault,
      alarms: [...before, ...falseAlarms(validation, fault)],
      seconds: after(),
      verdict: detections.length > 0 ? 'found' : 'not found',
      because:
        detections.length > 0 ? detections.map(describeCheck).join('; ') : describeExpectedChecks(validation, fault),
    }
  } catch (error) {
    return { ...failedOutcome(fault, error), alarms: before, seconds: after() }
  } finally {
    if (undo) await undo()
  }
}

/** The outcome if the place could not be set up or torn down. */
export function failedOutcome(fault: SeededFault | null, error: unknown): SeedOutcome {
  const verdict = error instanceof UnsupportedMachineError ? 'left out' : 'not found'
  return { fault, verdict, because: messageOf(error), alarms: [], seconds: 0 }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Validates a place without a fault. */
export async function validateHealthyPlace(place: FaultPlace): Promise<SeedOutcome> {
  const started = Date.now()
  const validation = await validate(place.agent)
  const open = validation.checks.filter((check) => check.verdict === 'inconclusive').map((check) => check.check)
  return {
    fault: null,
    verdict: 'healthy',
    alarms: falseAlarms(validation, null),
    because: `${validation.checks.length} checks${open.length > 0 ? `, inconclusive: ${open.join(', ')}` : ''}`,
    seconds: (Date.now() - started) / 1000,
  }
}

function detectingChecks({ checks }: Validation, fault: SeededFault): CheckResult[] {
  return checks.filter(
    (check) => check.layer === fault.layer && fault.checks.includes(check.check) && finds(check, fault),
  )
}

function finds({ verdict, detail }: CheckResult, { unknown, reported }: SeededFault): boolean {
  if (unknown !== undefined) return verdict === 'inconclusive' && unknown.test(detail)
  if (reported !== undefined) return verdict === 'pass' && reported.test(detail)
  return verdict === 'fail'
}

/** These checks measure the machine, which the faults of other environments load. */
const MACHINE_CHECKS = ['cpu', 'memory', 'disk']

/** Includes checks with verdict `error`, since their actual verdict is unknown. */
function falseAlarms({ checks }: Validation, fault: SeededFault | null): string[] {
  const allowedToFail = fault === null ? MACHINE_CHECKS : [...fault.checks, ...(fault.follows ?? []), ...MACHINE_CHECKS]
  return checks
    .filter((check) => check.verdict === 'error' || (check.verdict === 'fail' && !allowedToFail.includes(check.check)))
    .map(describeCheck)
}

function describeExpectedChecks({ checks }: Validation, fault: SeededFault): string {
  const named = checks.filter((check) => fault.checks.includes(check.check)).map(describeCheck)
  return named.length > 0 ? named.join('; ') : `none of ${fault.checks.join(', ')} ran`
}

const describeCheck = ({ check, verdict, detail }: CheckResult): string => `${check} ${verdict}: ${detail}`
