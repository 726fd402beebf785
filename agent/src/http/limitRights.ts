import type { Limits, LimitsPatch } from '../contract/index.ts'
import { findLoosenedLimits } from '../throttle/limits.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Caller } from '../rights/caller.ts'
import type { ApiDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { rightRefusal } from '../rights/rights.ts'

/**
 * Checks the limits of a request: loosening one beyond the rollout file requires the right `force`. Null restores the
 * limit of the file.
 * @throws Refusal invalid-body for a signal that the file does not have; forbidden
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
    throw new Refusal('invalid-body', `The rollout file does not have the signal ${unknown.join(', ')}.`, [
      `parameters.limits.signals: name one of ${names.join(', ') || 'its signals (it has none)'}`,
    ])
  }
  const loosenedLimits = findLoosenedLimits(file, dropNulls(limits))
  if (loosenedLimits.length === 0) return
  const refusal = rightRefusal(caller, 'force', deps.config)
  if (refusal !== null)
    throw new Refusal(
      'forbidden',
      `The request loosens ${loosenedLimits.join(', ')} beyond the rollout file or the default. ${refusal}`,
    )
}

function dropNulls(limits: LimitsPatch): Limits {
  const withoutNullEntries = <T extends object>(entries: T): object =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null))
  return withoutNullEntries({ ...limits, ...(limits.signals ? { signals: withoutNullEntries(limits.signals) } : {}) })
}
