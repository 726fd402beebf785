import type { CheckResult, Layer, Validation } from '../../agent/src/contract/index.ts'
import type { AgentClient } from '../support/agent.ts'
import { NotHere, type Fault, type Place } from './fault.ts'

export interface Outcome {
  /** Null: a control run without any fault. */
  readonly fault: Fault | null
  readonly verdict: 'found' | 'not found' | 'left out' | 'healthy'
  /** What found it, or why not. */
  readonly because: string
  /** Checks that failed although nothing of theirs was wrong. */
  readonly alarms: readonly string[]
  readonly seconds: number
}

/** A validation of every layer, or of these. */
async function validateAll(agent: AgentClient, layers?: readonly Layer[]): Promise<Validation> {
  const { result } = await agent.run('validation', layers ? { layers } : {})
  return await agent.get<Validation>(`/v1/rollouts/vehicles/validations/${Number(result!['validation'])}`)
}

/** Looks at a healthy place, seeds the fault, looks again. */
export async function seedOne(fault: Fault, place: Place): Promise<Outcome> {
  const healthy = alarmsOf(await validateAll(place.agent), null).map((alarm) => `before it was seeded, ${alarm}`)
  return await findOne(fault, place, healthy)
}

/** Seeds the fault and looks once. */
export async function findOne(fault: Fault, place: Place, before: readonly string[] = []): Promise<Outcome> {
  const started = Date.now()
  const after = (): number => (Date.now() - started) / 1000
  let undo
  try {
    undo = await fault.seed(place)
    const validation = await validateAll(place.agent, fault.layers)
    const found = findersOf(validation, fault)
    return {
      fault,
      alarms: [...before, ...alarmsOf(validation, fault)],
      seconds: after(),
      verdict: found.length > 0 ? 'found' : 'not found',
      because: found.length > 0 ? found.map(told).join('; ') : expected(validation, fault),
    }
  } catch (error) {
    return { ...broken(fault, error), alarms: before, seconds: after() }
  } finally {
    if (undo) await undo()
  }
}

/** Its place could not be had, or not be left again. */
export function broken(fault: Fault | null, error: unknown): Outcome {
  const verdict = error instanceof NotHere ? 'left out' : 'not found'
  return { fault, verdict, because: messageOf(error), alarms: [], seconds: 0 }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A place where nothing was seeded. */
export async function control(place: Place): Promise<Outcome> {
  const started = Date.now()
  const validation = await validateAll(place.agent)
  const open = validation.checks.filter((one) => one.verdict === 'inconclusive').map((one) => one.check)
  return {
    fault: null,
    verdict: 'healthy',
    alarms: alarmsOf(validation, null),
    because: `${validation.checks.length} checks${open.length > 0 ? `, inconclusive: ${open.join(', ')}` : ''}`,
    seconds: (Date.now() - started) / 1000,
  }
}

function findersOf({ checks }: Validation, fault: Fault): CheckResult[] {
  const { unknown } = fault
  return checks.filter(
    (one) =>
      one.layer === fault.layer &&
      fault.checks.includes(one.check) &&
      (unknown === undefined ? one.verdict === 'fail' : one.verdict === 'inconclusive' && unknown.test(one.detail)),
  )
}

/** They speak of the machine, which the faults of the other grounds load themselves. */
const OF_THE_MACHINE = ['cpu', 'memory', 'disk']

/** A check that could not be answered is one as well: nobody can tell what it would have said. */
function alarmsOf({ checks }: Validation, fault: Fault | null): string[] {
  const may = fault === null ? OF_THE_MACHINE : [...fault.checks, ...(fault.follows ?? []), ...OF_THE_MACHINE]
  return checks
    .filter((one) => one.verdict === 'error' || (one.verdict === 'fail' && !may.includes(one.check)))
    .map(told)
}

function expected({ checks }: Validation, fault: Fault): string {
  const named = checks.filter((one) => fault.checks.includes(one.check)).map(told)
  return named.length > 0 ? named.join('; ') : `no check ${fault.checks.join(', ')} was run`
}

const told = ({ check, verdict, detail }: CheckResult): string => `${check} ${verdict}: ${detail}`
