import {
  ValidationLayer,
  type CheckResult,
  type LayerResult,
  type ValidationParameters,
  type Verdict,
} from '../contract/index.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { listChecks, selectLayers, NO_CHECKS_REASON } from './layers.ts'

/**
 * What each layer of a validation came to. A layer without a check proves nothing: it is inconclusive. A check that does
 * not apply now says nothing and is missed by nobody.
 */
export function summarizeLayers(
  rollout: Rollout,
  parameters: ValidationParameters,
  results: readonly CheckResult[],
  inapplicable: ReadonlySet<string>,
): LayerResult[] {
  const allChecks = listChecks(rollout)
  return selectLayers(rollout, parameters).map((layer) => {
    const resultsOfLayer = results.filter((result) => result.layer === layer)
    const checksRun = new Set(resultsOfLayer.map((result) => result.check))
    const verdict = worstVerdict(resultsOfLayer.map((result) => result.verdict))
    const decidingResult = resultsOfLayer.find((result) => result.verdict === verdict)
    return {
      layer,
      verdict,
      required: rollout.file.validation.requires.includes(layer),
      complete: allChecks.every((one) => one.layer !== layer || checksRun.has(one.name) || inapplicable.has(one.name)),
      detail:
        verdict === 'pass'
          ? ''
          : decidingResult
            ? `${decidingResult.check}: ${decidingResult.detail}`
            : NO_CHECKS_REASON[layer],
    }
  })
}

/**
 * The verdict of a whole validation: of the layers that the file requires, since it answers whether the flag may go on.
 * Another layer is reported with its own verdict and neither blocks nor helps. When none of the required ones was run
 * it is that of those that were.
 */
export function overallVerdict(layers: readonly LayerResult[]): Verdict {
  const required = layers.filter((layer) => layer.required)
  return worstVerdict((required.length > 0 ? required : layers).map((layer) => layer.verdict))
}

/** Passed checks of the integrity layer / all of them, rounded down; null unless all of them were run. */
export function computeIntegrityScore(layers: readonly LayerResult[], results: readonly CheckResult[]): number | null {
  const integrity = layers.find((one) => one.layer === ValidationLayer.enum.integrity)
  const integrityResults = results.filter((result) => result.layer === ValidationLayer.enum.integrity)
  if (!integrity?.complete || integrityResults.length === 0) return null
  return (
    Math.floor(
      (integrityResults.filter((result) => result.verdict === 'pass').length / integrityResults.length) * 10_000,
    ) / 10_000
  )
}

/** An error outweighs a fail, which outweighs what could not be decided; of nothing nothing follows. */
function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  const order: Verdict[] = ['error', 'fail', 'inconclusive']
  return order.find((verdict) => verdicts.includes(verdict)) ?? (verdicts.length === 0 ? 'inconclusive' : 'pass')
}

/** For events: `fail: integrity (coverage: 9 of 10 rows …); inconclusive, not required: business (…)`. */
export function describeVerdict(verdict: Verdict, layers: readonly LayerResult[]): string {
  const parts = layers
    .filter((layer) => layer.verdict !== 'pass')
    .map((one) => `${one.layer} ${one.verdict}${one.required ? '' : ', not required'} (${one.detail})`)
  return `verdict ${verdict}${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`
}
