import { ValidationLayer, type ValidationParameters } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ValidationCheck } from './check.ts'
import { businessChecks } from './business/checks.ts'
import { integrityChecks } from './integrity/checks.ts'
import { PERFORMANCE_CHECKS } from './performance/checks.ts'
import { SYSTEM_CHECKS } from './system/checks.ts'

/** The checks of each layer, in the order in which they run. Names are unique within a layer. */
const CHECKS_BY_LAYER: Readonly<Record<ValidationLayer, (rollout: Rollout) => readonly ValidationCheck[]>> = {
  integrity: integrityChecks,
  performance: () => PERFORMANCE_CHECKS,
  system: () => SYSTEM_CHECKS,
  business: businessChecks,
}

/** Why a layer has no checks, and what to do. */
export const NO_CHECKS_REASON: Readonly<Record<ValidationLayer, string>> = {
  integrity: 'this version has no checks for this layer',
  performance: 'this version has no checks for this layer',
  system: 'this version has no checks for this layer',
  business: 'the rollout file has no checks: add some, or remove business from validation.requires',
}

/** All checks of a rollout, in the order in which they run. */
export function listChecks(rollout: Rollout): ValidationCheck[] {
  return ValidationLayer.options.flatMap((layer) => [...CHECKS_BY_LAYER[layer](rollout)])
}

/** The checks requested by name or by layer; all of them if neither is given. */
export function selectChecks(rollout: Rollout, { layers, checks }: ValidationParameters): ValidationCheck[] {
  return listChecks(rollout).filter(
    (check) =>
      (layers === undefined && checks === undefined) || layers?.includes(check.layer) || checks?.includes(check.name),
  )
}

/** Requested names that match no check. */
export function findUnknownChecks(rollout: Rollout, { checks = [] }: ValidationParameters): string[] {
  const knownNames = new Set(listChecks(rollout).map((check) => check.name))
  return checks.filter((name) => !knownNames.has(name))
}

/** The requested layers and the layers of the requested checks, including layers without checks. */
export function selectLayers(rollout: Rollout, parameters: ValidationParameters): ValidationLayer[] {
  const includesAll = parameters.layers === undefined && parameters.checks === undefined
  const layersOfChecks = new Set(selectChecks(rollout, parameters).map((check) => check.layer))
  return ValidationLayer.options.filter(
    (layer) => includesAll || parameters.layers?.includes(layer) || layersOfChecks.has(layer),
  )
}
