import type { Limits, LimitsPatch } from '../contract/index.ts'
import { findLoosenedLimits } from '../throttle/limits.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Caller } from '../rights/caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { rightRefusal } from '../rights/rights.ts'

/**
 * Whether a caller may give an operation these limits: whoever loosens one beyond the rollout file needs the right to
 * force. Null takes a limit back to the file's.
 * @throws Refusal invalid-body, for a signal that the file does not have; forbidden
 */
export function requireLimitRights(
  deps: ApiDependencies,
  rollout: Rollout,
  caller: Caller,
  limits: LimitsPatch | undefined,
): void {
  if (limits === undefined) return
  const { file } = rollout
  const names = file.signals.map(({ name }) => name)
  const unknown = Object.keys(limits.signals ?? {}).filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    throw new Refusal('invalid-body', `The rollout file has no signal ${unknown.join(', ')}.`, [
      `parameters.limits.signals: name one of ${names.join(', ') || 'its signals; there is none'}`,
    ])
  }
  const loosenedLimits = findLoosenedLimits(file, dropNulls(limits))
  if (loosenedLimits.length === 0) return
  const refusal = rightRefusal(caller, 'force', deps.config)
  if (refusal !== null)
    throw new Refusal(
      'forbidden',
      `Loosens ${loosenedLimits.join(', ')} beyond the rollout file or its default. ${refusal}`,
    )
}

function dropNulls(limits: LimitsPatch): Limits {
  const withoutNullEntries = <T extends object>(entries: T): object =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null))
  return withoutNullEntries({ ...limits, ...(limits.signals ? { signals: withoutNullEntries(limits.signals) } : {}) })
}
