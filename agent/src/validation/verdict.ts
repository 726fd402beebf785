import {
  Layer,
  type CheckResult,
  type LayerResult,
  type ValidationParameters,
  type Verdict,
} from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { checksOf, chosenLayers, WITHOUT_CHECKS } from './layers.ts'

/**
 * What each layer of a validation came to. A layer without a check proves nothing: it is inconclusive. A check that does
 * not apply now says nothing and is missed by nobody.
 */
export function layerResults(
  rollout: Rollout,
  asked: ValidationParameters,
  results: readonly CheckResult[],
  inapplicable: ReadonlySet<string>,
): LayerResult[] {
  const all = checksOf(rollout)
  return chosenLayers(rollout, asked).map((layer) => {
    const own = results.filter((result) => result.layer === layer)
    const ran = new Set(own.map((result) => result.check))
    const verdict = worst(own.map((result) => result.verdict))
    const first = own.find((result) => result.verdict === verdict)
    return {
      layer,
      verdict,
      required: rollout.file.validation.requires.includes(layer),
      complete: all.every((one) => one.layer !== layer || ran.has(one.name) || inapplicable.has(one.name)),
      detail: verdict === 'pass' ? '' : first ? `${first.check}: ${first.detail}` : WITHOUT_CHECKS[layer],
    }
  })
}

/**
 * The verdict of a whole validation: of the layers that the file requires, since it answers whether the flag may go on.
 * Another layer is reported with its own verdict and neither blocks nor helps. When none of the required ones was run
 * it is that of those that were.
 */
export function overall(layers: readonly LayerResult[]): Verdict {
  const required = layers.filter((layer) => layer.required)
  return worst((required.length > 0 ? required : layers).map((layer) => layer.verdict))
}

/** Passed checks of the integrity layer / all of them, rounded down; null unless all of them were run. */
export function integrityScore(layers: readonly LayerResult[], results: readonly CheckResult[]): number | null {
  const integrity = layers.find((one) => one.layer === Layer.enum.integrity)
  const own = results.filter((result) => result.layer === Layer.enum.integrity)
  if (!integrity?.complete || own.length === 0) return null
  return Math.floor((own.filter((result) => result.verdict === 'pass').length / own.length) * 10_000) / 10_000
}

/** An error outweighs a fail, which outweighs what could not be decided; of nothing nothing follows. */
function worst(verdicts: readonly Verdict[]): Verdict {
  const order: Verdict[] = ['error', 'fail', 'inconclusive']
  return order.find((verdict) => verdicts.includes(verdict)) ?? (verdicts.length === 0 ? 'inconclusive' : 'pass')
}

/** For events: `fail: integrity (coverage: 9 of 10 rows …); inconclusive, not required: business (…)`. */
export function verdictSentence(verdict: Verdict, layers: readonly LayerResult[]): string {
  const short = layers
    .filter((layer) => layer.verdict !== 'pass')
    .map((one) => `${one.layer} ${one.verdict}${one.required ? '' : ', not required'} (${one.detail})`)
  return `verdict ${verdict}${short.length > 0 ? `: ${short.join('; ')}` : ''}`
}
