import { Layer, type ValidationParameters } from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Check } from './check.ts'
import { businessChecks } from './business/checks.ts'
import { integrity } from './integrity/checks.ts'
import { PERFORMANCE } from './performance/checks.ts'
import { SYSTEM } from './system/checks.ts'

/** The checks of each layer, in the order in which they run. Names are unique within a layer. */
const LAYERS: Readonly<Record<Layer, (rollout: Rollout) => readonly Check[]>> = {
  integrity,
  performance: () => PERFORMANCE,
  system: () => SYSTEM,
  business: businessChecks,
}

/** Why a layer may have no check, and what to do. */
export const WITHOUT_CHECKS: Readonly<Record<Layer, string>> = {
  integrity: 'this version has no check of this layer',
  performance: 'this version has no check of this layer',
  system: 'this version has no check of this layer',
  business: 'the rollout file has no checks: write some, or leave business out of validation.requires',
}

/** Every check of a rollout. */
export function checksOf(rollout: Rollout): Check[] {
  return Layer.options.flatMap((layer) => [...LAYERS[layer](rollout)])
}

/** Those that were asked for: by name, by layer, or all. */
export function chosen(rollout: Rollout, { layers, checks }: ValidationParameters): Check[] {
  return checksOf(rollout).filter(
    (check) =>
      (layers === undefined && checks === undefined) || layers?.includes(check.layer) || checks?.includes(check.name),
  )
}

/** Names that no check has. */
export function unknownChecks(rollout: Rollout, { checks = [] }: ValidationParameters): string[] {
  const known = new Set(checksOf(rollout).map((check) => check.name))
  return checks.filter((name) => !known.has(name))
}

/** The layers that belong to what was asked for, also those without a check. */
export function chosenLayers(rollout: Rollout, asked: ValidationParameters): Layer[] {
  const all = asked.layers === undefined && asked.checks === undefined
  const named = new Set(chosen(rollout, asked).map((check) => check.layer))
  return Layer.options.filter((layer) => all || asked.layers?.includes(layer) || named.has(layer))
}
